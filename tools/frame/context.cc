// Sentences may carry names that came from agents or from disk, so all of them are sanitised on the
// way out.
#include "tools/frame/context.h"

#include "tools/frame/versions.h"
#include "tools/render/sanitise.h"

namespace pievt::tools {

using render::JsonWriter;
using render::Lines;
using render::sanitise;

void Talk::say(std::string_view sentence) const {
  if (loudness_ == Loudness::quiet) return;
  out_.line(sanitise(sentence, Lines::many));
  out_.flush();
}

void Talk::detail(std::string_view sentence) const {
  if (loudness_ == Loudness::verbose) say(sentence);
}

void Talk::warn(std::string_view sentence) const {
  out_.print("pievt: warning: {}\n", sanitise(sentence, Lines::many));
  out_.flush();
}

JsonWriter Context::json() const {
  return JsonWriter(out, globals.output == OutputFormat::json ? JsonWriter::Layout::indented
                                                              : JsonWriter::Layout::compact);
}

void report_error(render::Writer& out, const Error& error, Exit exit, bool as_json) {
  std::string sentence = error.what;
  if (error.code == Errc::too_new)
    sentence += fmt::format(" (this is pievt {})", program_version());
  out.print("pievt: {}\n", sanitise(sentence, Lines::many));
  if (as_json) {
    JsonWriter json(out);
    json.begin_document("pievt.error", 1)
        .member("code", name_of(error.code))
        .member("exit", static_cast<int>(exit))
        .member("message", sentence)
        .end_object();
    json.end_document();
  }
  out.flush();
}

}  // namespace pievt::tools
