// Exit codes are an API: scripts branch on them, so they are listed once, explained once and never
// renumbered.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "pievt/result.h"

namespace pievt::tools {

enum class Exit : std::uint8_t {
  ok = 0,
  no = 1,
  usage = 2,
  store = 3,
  evidence = 4,
  corrupt = 5,
  not_found = 6,
  bug = 70,
  interrupted = 130,
};

struct ExitRow {
  Exit code;
  std::string_view name;
  std::string_view meaning;
};

/// Every exit code, by number, with what `pievt help exit-codes` says about it.
std::span<const ExitRow> exit_rows();

/// What a failed verb exits with. Pure and total.
Exit exit_for(Errc code);

}  // namespace pievt::tools
