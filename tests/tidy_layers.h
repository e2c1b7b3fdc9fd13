// The layers of the tree, as tidy_test.cc keeps them: which folder may include which.
#pragma once

#include <string_view>
#include <vector>

namespace pievt {

// Who may include what of this tree, the first row that fits. Public headers (`pievt/`) are for
// everybody; a folder may always include itself.
struct Layer {
  std::string_view folder;
  std::vector<std::string_view> may_include;
};

inline const std::vector<Layer>& layers() {
  static const std::vector<Layer> all = {
      {"schemas/", {"store/format/"}},
      {"store/include/", {}},
      {"store/format/", {}},
      {"store/model/", {"store/format/"}},
      {"store/log/", {"store/format/", "store/model/"}},
      {"store/views/", {"store/format/", "store/model/"}},
      {"store/trust/", {"store/"}},
      {"store/upkeep/", {"store/"}},
      {"store/", {"store/"}},
      {"supervisor/process/", {}},
      {"supervisor/pi/", {}},
      {"supervisor/plan/", {"store/format/"}},
      {"supervisor/settings/", {"supervisor/plan/"}},
      {"supervisor/secrets/", {}},
      {"supervisor/check/", {"store/format/", "store/log/fd.h"}},
      {"supervisor/lint/", {"supervisor/check/", "supervisor/plan/"}},
      {"supervisor/planners/", {}},
      {"supervisor/workspace/", {"store/format/", "supervisor/process/"}},
      {"supervisor/record/", {"store/views/", "supervisor/planners/"}},
      {"supervisor/launch/",
       {"store/format/", "store/log/", "supervisor/process/", "supervisor/record/"}},
      {"supervisor/control/", {"store/", "supervisor/launch/", "supervisor/process/"}},
      {"supervisor/capture/",
       {"store/format/", "supervisor/process/", "supervisor/pi/", "supervisor/record/",
        "supervisor/secrets/"}},
      {"supervisor/", {"store/", "supervisor/"}},
      {"tools/render/", {}},
      {"tools/audit/", {"store/", "supervisor/", "tools/render/"}},
      {"tools/frame/", {"store/", "tools/render/"}},
      {"tools/", {"store/", "supervisor/", "tools/"}},
      {"cmake/", {"store/", "supervisor/"}},
      {"bench/", {"store/", "supervisor/", "tools/"}},
      {"docs/", {"store/", "supervisor/", "tools/"}},
      {"tests/", {"store/", "supervisor/", "tools/"}},
  };
  return all;
}

}  // namespace pievt
