// What a verb is to the frame: a row of the table (short, in verbs.cc) and a manual (long, beside
// the verb's code). The frame takes both as values; it does not know which verbs exist.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/result.h"
#include "tools/frame/exit.h"
#include "tools/frame/option.h"

namespace pievt::tools {

struct Context;

enum class Group : std::uint8_t { run, read, audit, trust, move, serve, measure, about };

/// "run", "read", ...
std::string_view name_of(Group group);
/// What the group's verbs are for, as `pievt help --all` heads them.
std::string_view title_of(Group group);

/// Which values of -o a verb can write. Text is always among them.
enum class Outputs : std::uint8_t { text_only, text_json, everything };

struct Example {
  std::string_view command;  ///< as typed: "pievt show last"
  std::string_view purpose;  ///< what it shows, one line
};

struct Manual {
  /// Paragraphs, an empty line between two; wrapped when shown. A line that begins with a space
  /// stands as it is.
  std::string_view details = {};
  std::span<const Option> options = {};
  std::array<Example, 2> examples;
  Outputs outputs = Outputs::text_json;
};

struct Verb {
  std::string_view name;
  Group group;
  std::string_view summary;  ///< one line, lower case, no full stop
  Result<Exit> (*run)(Context&);
  const Manual& (
      *manual)();  ///< a function, so that rows are constants while manuals live with their verbs
};

/// Something the shell can ask for while completing, by name: "runs", "jobs".
struct CandidateSource {
  std::string_view name;
  /// Words, each with an optional description after a tab. Never prompts, never creates anything.
  Result<std::vector<std::string>> (*list)(Context&);
};

/// Everything the program offers.
struct Tables {
  std::span<const Verb> verbs;                  ///< sorted by name
  std::span<const std::string_view> daily;      ///< the verbs of `pievt help`, in reading order
  std::span<const CandidateSource> candidates;  ///< sorted by name; `list` may be nullptr
};

/// The verb of that name; nullptr when there is none.
const Verb* find_verb(const Tables& tables, std::string_view name);

}  // namespace pievt::tools
