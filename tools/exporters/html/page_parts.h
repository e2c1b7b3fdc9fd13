// The parts an HTML report is put together from.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/run_story.h"
#include "tools/exporters/exporter.h"

namespace pievt::tools::html {

/// Text for an element or an attribute in double quotes. Control characters become visible.
std::string escaped(std::string_view text);

/// Jobs that ended for one reason.
struct Cause {
  schema::FailureKind failure{};
  std::string reason;
  bool follows = false;  ///< only because other jobs failed
  std::vector<std::uint32_t> jobs;
};

/// First causes before what follows from them, large groups before small ones. Sets, for each job
/// by its number, the place of its cause; -1 for jobs that did not fail.
struct Causes {
  std::vector<Cause> list;
  std::map<std::uint32_t, int> of_job;
};
Causes causes_of(const RunState& run);

/// What was found of the writes of an attempt, one line each.
using Writes = std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::string>>;

/// How much text the page carries and how much it had to leave out.
struct TextBudget {
  std::uint64_t left = 8u << 20;
  std::uint64_t shortened = 0;
  std::uint64_t absent = 0;
};

/// What the script draws from, as one JSON object that is safe inside a script element.
Result<std::string> page_data(Export& work, const RunStory& story, const Causes& causes,
                              const Writes& writes, TextBudget& budget);

}  // namespace pievt::tools::html
