#include "store/views/all.h"

#include "store/views/run_list.h"

namespace pievt {

const std::array<ViewRow, 1> all_views = {{
    {run_list_name, [] { return std::unique_ptr<Projection>(std::make_unique<RunListView>()); }},
}};

}  // namespace pievt
