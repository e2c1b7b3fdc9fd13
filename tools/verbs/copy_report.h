// How verbs that copy a log tell of it.
#pragma once

#include <string>

#include "pievt/upkeep.h"
#include "tools/frame/context.h"
#include "tools/render/progress.h"

namespace pievt::tools {

/// A progress line on stderr, and the function that moves it. Nothing with -q.
class CopyProgress {
 public:
  CopyProgress(const Context& context, std::string what);
  UpkeepProgress function();
  void finish() { progress_.finish(); }

 private:
  render::Progress progress_;
  bool wanted_;
};

/// The members of a CopyReport in an object that has begun.
void write_copy(render::JsonWriter& json, const CopyReport& report);

/// "1,024 events in 12 pages (1.2 MiB), 14 texts (3.0 MiB)", and the problems, a line each.
std::string copied_text(const CopyReport& report);
void write_problems(const Context& context, const CopyReport& report);

/// 0; 4 where texts are missing; 5 where some were damaged.
Exit exit_of(const CopyReport& report);

}  // namespace pievt::tools
