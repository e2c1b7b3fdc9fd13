// What verifying asks, as a list, and where the answers are gathered.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "pievt/verify.h"
#include "store/trust/removals.h"

namespace pievt {

enum class Check : std::uint8_t {
  storage,
  pages,
  chain,
  events,
  revisions,
  causes,
  streams,
  appends,
  index,
  schemas,
  bodies,
  output,
  views,
  promise,
};
inline constexpr std::size_t check_count = 14;

/// Where something is wrong; what does not apply stays as it is.
struct Place {
  Sequence page{};
  Sequence sequence{};
  std::string stream{};
  Revision revision{};
};

class Findings {
 public:
  void examined(Check check, std::uint64_t count = 1) {
    counts_[static_cast<std::size_t>(check)].examined += count;
  }

  void report(Check check, Severity severity, Place place, std::string what);
  void damaged(Check check, Place place, std::string what) {
    report(check, Severity::damaged, std::move(place), std::move(what));
  }

  /// Something that is not there and is known not to be: listed, and no fault that a check found.
  void known(Check check, Place place, std::string what);

  /// What was found cannot be made again from the events.
  void beyond_rebuild() { beyond_rebuild_ = true; }

  /// What helps against what has been found so far.
  Remedy remedy() const;

  /// A text or a chunk of output that `run` refers to is not there. Whether that is a finding is
  /// known at the end: where the log says that it was removed after the run was sealed, one line
  /// for the run says so, and the check has nothing to complain about.
  void absent(Check check, std::string_view run, Place place, std::string what);

  /// An event of the stream `stream`; those that tell of sealed runs matter. `store`: its
  /// directory.
  void sealed(std::string_view stream, const EventView& event, const std::filesystem::path& store);

  /// The report, but for what only the walk knows: head and chain.
  VerifyReport take() &&;

 private:
  struct Count {
    std::uint64_t examined = 0;
    std::uint64_t findings = 0;
    std::uint64_t damaged = 0;
  };
  struct Absent {
    std::size_t before = 0;  ///< how many findings were listed when it was met
    Check check{};
    Finding finding;
  };

  void settle_absences();

  std::array<Count, check_count> counts_{};
  VerifyReport report_;
  bool beyond_rebuild_ = false;
  Removals removals_;
  std::filesystem::path store_;
  Absences<Absent> absences_{findings_listed_max};
};

}  // namespace pievt
