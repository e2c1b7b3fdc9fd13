// The first look at a jsonl export: is it whole, and what is in it? Nothing is stored before this
// has answered, so a file that was cut off leaves no half of a run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "pievt/run_source.h"

namespace pievt::tools::jsonl {

struct Contents {
  std::string run_id;
  std::uint64_t events = 0, lines = 0, bytes = 0;
  std::string events_digest;
  OriginalStamps stamps;  ///< of all events
  RunState state;         ///< after the last one, with the file's own digests
};

/// corrupt: it is cut off, or something in it is not as its manifest says. too_new: a later version
/// wrote it, and this one would lose something.
Result<Contents> check(const std::filesystem::path& path);

}  // namespace pievt::tools::jsonl
