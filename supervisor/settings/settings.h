// What people decided once for all runs of a store. Values only; read_settings.h fills them in.
//
// An absent value was not decided: the plan's own, then the program's default, holds. Everything
// here is a default or a limit; nothing here can change what a plan says of itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/plan/document.h"

namespace pievt::settings {

/// A command that is told of something: argv, never a shell's line, so nothing needs quoting.
struct Hook {
  std::vector<std::string> run;
  std::uint64_t timeout_ms = 30'000;

  friend bool operator==(const Hook&, const Hook&) = default;
};

/// What becomes of a run when the program that called for it is gone.
enum class CallerGone : std::uint8_t { stop, go_on };

/// Advice in the texts that agents read before they call for jobs. Nothing schedules by it.
struct Guidance {
  bool waves = true;
  std::uint32_t wave_min = 4, wave_max = 6;
  bool sync_first = true;
};

struct Settings {
  std::optional<std::uint32_t> concurrency;  ///< attempts at once in a run that names no number

  std::optional<std::uint32_t> store_concurrency;   ///< attempts at once in the whole store
  std::optional<std::uint64_t> child_memory_bytes;  ///< what one child is expected to take

  std::optional<Hook> on_finish;     ///< a run has ended
  std::optional<Hook> on_attention;  ///< a run needs people

  /// Extensions that workers load besides pievt's own; absolute paths, or what pi resolves (`npm:`)
  std::vector<std::string> worker_extensions;
  CallerGone on_caller_gone = CallerGone::stop;
  std::optional<std::string> second_attempt;  ///< goes before the prompt of a second attempt

  std::vector<std::string> environment_allow;  ///< variables that children get besides the usual
  std::vector<std::string> environment_deny;   ///< variables that they do not get

  bool report_secrets = true;  ///< look for secrets and say where they are
  bool mask_secrets = false;   ///< and store texts without them

  plan::WrittenRetry retry;
  std::optional<plan::WrittenBudget> budget;
  std::optional<plan::Throttle> throttle;
  plan::WrittenSilence silence;
  std::optional<std::uint64_t> timeout_ms;

  Guidance guidance;
};

}  // namespace pievt::settings
