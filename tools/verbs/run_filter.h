// Which runs `pievt runs` shows, and in which order.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "pievt/query.h"
#include "tools/frame/context.h"
#include "tools/verbs/run_status.h"

namespace pievt::tools {

/// What people mean by `--kind provider`.
inline constexpr std::array provider_failures = {schema::FailureKind::provider_transient,
                                                 schema::FailureKind::provider_permanent,
                                                 schema::FailureKind::provider_stalled};

struct FilteredRun {
  const RunSummary* run;
  RunStatus status;
};

class RunFilter {
 public:
  /// Reads the options of `pievt runs`. invalid: a word that nothing can be; the nearest is
  /// offered.
  static Result<RunFilter> from(const Context& context, std::uint64_t now_ns);

  /// Looks into the run's jobs only where a model or a way to fail is asked for.
  Result<bool> admits(const Log& log, const RunSummary& run, const RunStatus& status) const;

  /// Newest first stays the order of equals.
  void sort(std::vector<FilteredRun>& runs) const;

  std::uint64_t limit() const { return limit_; }

 private:
  bool failed_ = false, running_ = false;
  std::uint64_t since_ns_ = 0;
  std::uint64_t limit_ = UINT64_MAX;
  std::vector<std::string> statuses_, models_;
  std::vector<schema::RunKind> kinds_;
  std::vector<schema::FailureKind> failures_;
  std::string order_;
};

}  // namespace pievt::tools
