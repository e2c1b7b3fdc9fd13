// Folding, with saved states as a shortcut that is never trusted further than its identity.
#include "pievt/projection.h"

namespace pievt {

Result<Sequence> fold_tail(Projection& projection, const Log& log, Sequence after, Sequence to) {
  const Sequence end = to.value == 0 ? log.head() : to;
  auto reader = log.read({after.value + 1}, end);
  Sequence at = after;
  while (reader.next()) {
    projection.apply(reader.event());
    at = reader.event().sequence;
  }
  PIEVT_TRY(reader.status());
  return at;
}

Result<Sequence> catch_up(Projection& projection, const Log& log, std::string_view name,
                          Sequence to) {
  const Sequence end = to.value == 0 ? log.head() : to;
  if (const auto saved = PIEVT_TRY(log.load_checkpoint(name))) {
    const bool usable = saved->identity == projection.identity() && saved->at <= end;
    if (usable && projection.load(saved->state).ok())
      return fold_tail(projection, log, saved->at, end);
  }
  return fold_tail(projection, log, {}, end);
}

Status save_projection(Log& log, std::string_view name, const Projection& projection, Sequence at) {
  return log.save_checkpoint(name, {projection.identity(), at, projection.save()});
}

}  // namespace pievt
