// What a contract is asked of, besides the files in the job's directory. Values only: whoever runs
// the attempt gathers them, and a test can make them up.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pievt/event.h"

namespace pievt::acceptance {

/// One channel, as far as it is there.
struct Channel {
  std::optional<std::string> text;
  std::string absent = "there is none";  ///< why there is no text
  /// What cannot be searched meets no pattern, not even one that forbids.
  enum class Absence : std::uint8_t {
    nothing_there,
    not_searched
  } absence = Absence::nothing_there;
  std::optional<schema::BlobRef> content{};  ///< where it is kept, if by nobody else
};

struct Deliverable {
  std::string path;
  std::string kind;  ///< file, dir, note or command
};

/// A worker's report that holds what it must.
struct Report {
  std::string status;
  std::string summary;
  std::vector<Deliverable> deliverables;
  std::size_t evidence = 0;  ///< values that are not blank
};

/// A tool was asked to write a file.
struct Write {
  std::string path;  ///< as the tool was told
  std::string tool;
  std::uint32_t attempt = 0;
};

/// One path that changed while an attempt of the job ran, as walking the tree showed.
struct Change {
  std::string path;  ///< absolute
  std::string what;  ///< created, modified, deleted, type changed, mode changed
  schema::WriteZone zone = schema::WriteZone::unknown;
  schema::Attribution attribution = schema::Attribution::unknown;
  std::vector<std::string> candidates{};  ///< whose it may be, where it is one of several
  std::string detail;
  std::uint32_t attempt = 0;
};

/// What became of one command of the contract.
struct CommandOutcome {
  std::uint32_t exit_code = 0;
  std::uint32_t signal = 0;  ///< 0: it exited by itself
  std::uint64_t duration_ms = 0;
  std::string error;    ///< why it could not be started or was stopped; empty: neither
  std::string excerpt;  ///< the last line of its output
  std::uint64_t output_bytes = 0;
  std::optional<schema::BlobRef> output{};
};

struct Evidence {
  std::filesystem::path cwd;  ///< the job's directory
  Channel final_message, worker_log, report_text, raw_output;
  std::optional<Report> report{};
  std::vector<Write> writes{};    ///< of all attempts of the job
  std::uint32_t shell_calls = 0;  ///< whose writes only a walk shows
  /// What walks before and after each attempt of the job showed; absent where one is missing.
  std::optional<std::vector<Change>> changes{};
  std::vector<CommandOutcome> commands{};
};

}  // namespace pievt::acceptance
