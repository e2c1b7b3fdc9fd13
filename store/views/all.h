// Every projection over the whole log, as rows of one table. Tests ask the laws of projection.h of
// each row.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "pievt/projection.h"

namespace pievt {

inline constexpr std::string_view run_list_name = "runs";

struct ViewRow {
  std::string_view name;
  std::unique_ptr<Projection> (*make)();
};

extern const std::array<ViewRow, 1> all_views;

}  // namespace pievt
