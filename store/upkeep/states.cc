#include "store/upkeep/states.h"

#include "pievt/query.h"
#include "store/log/log_impl.h"
#include "store/views/run_view.h"

namespace pievt {
namespace {

Status save_all(Log& log) {
  PIEVT_TRY(save_views(log));
  const RunList list = PIEVT_TRY(load_runs(log));
  for (const auto& run : list.runs) PIEVT_TRY(save_run(log, run->run_id));
  return {};
}

}  // namespace

Status make_states(const std::filesystem::path& place) {
  Log log = PIEVT_TRY(Log::Impl::open_unpublished(place));
  const Status saved = save_all(log);
  const Status closed = log.close();
  // What cannot be read is told by whoever reads it; a shortcut to it is not missed.
  if (!saved.ok() && saved.error().code != Errc::corrupt) return saved;
  return closed;
}

}  // namespace pievt
