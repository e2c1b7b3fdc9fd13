// What verifying asks, as a list, and where the answers are gathered.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "pievt/verify.h"

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

  /// The report, but for what only the walk knows: head and chain.
  VerifyReport take() &&;

 private:
  struct Count {
    std::uint64_t examined = 0;
    std::uint64_t findings = 0;
  };
  std::array<Count, check_count> counts_{};
  VerifyReport report_;
};

}  // namespace pievt
