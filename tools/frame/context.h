// What a verb is given. It reads its options, writes data to `out` and talk to `talk`, and returns
// an Exit; it asks the environment, the terminal and the process for nothing itself, so a test can
// run it with strings.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "pievt/result.h"
#include "tools/frame/arguments.h"
#include "tools/frame/exit.h"
#include "tools/frame/globals.h"
#include "tools/frame/verb.h"
#include "tools/render/json_writer.h"
#include "tools/render/pager.h"
#include "tools/render/terminal.h"
#include "tools/render/writer.h"

namespace pievt::tools {

/// What is said on stderr. Every sentence is made harmless and ends its line.
class Talk {
 public:
  Talk(render::Writer& out, const render::Terminal& terminal, Loudness loudness)
      : out_(out), terminal_(terminal), loudness_(loudness) {}

  /// Which store, which run, what was done. Not with -q.
  void say(std::string_view sentence) const;
  /// Only with -v.
  void detail(std::string_view sentence) const;
  /// Always: "pievt: warning: ...".
  void warn(std::string_view sentence) const;

  /// For render::Progress and render::LiveView.
  render::Writer& writer() const { return out_; }
  const render::Terminal& terminal() const { return terminal_; }
  Loudness loudness() const { return loudness_; }

 private:
  render::Writer& out_;
  render::Terminal terminal_;
  Loudness loudness_;
};

/// What opening the verb's input left behind that must outlive all that the verb has of it, and
/// goes with the Context, also after an error.
struct Opened {
  Opened() = default;
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  virtual ~Opened() = default;

  std::string name;                                      ///< what was opened, for people
  std::map<std::string, std::string, std::less<>> runs;  ///< words that name runs of it, their ids
};

struct Context {
  const Tables& tables;
  const Verb& verb;
  const Arguments&
      arguments;  ///< the verb's own flags and arguments (and the global ones, as typed)
  const Globals& globals;
  render::Writer& out;               ///< stdout, or the pager
  const render::Terminal& terminal;  ///< what stdout is
  Talk& talk;
  render::Pager& pager;  ///< `pager.begin()` before long output; harmless anywhere else
  render::Environment environment;
  mutable std::shared_ptr<Opened> opened{};  ///< where a store is not what was named
  /// Events that had been acknowledged are gone from what was opened. Whatever is answered is
  /// answered without them, so the verb exits with Exit::corrupt.
  mutable bool lacks_events = false;

  /// -o json and -o jsonl: one document for people's eyes, or lines.
  bool wants_json() const {
    return globals.output == OutputFormat::json || globals.output == OutputFormat::jsonl;
  }
  /// A writer for one document on `out`, indented for -o json and on one line for -o jsonl.
  render::JsonWriter json() const;
};

/// `pievt: <sentence>`, and with `as_json` a second line, one JSON object with the code and the
/// exit code.
void report_error(render::Writer& out, const Error& error, Exit exit, bool as_json);

}  // namespace pievt::tools
