#include "tools/verbs/store_moment.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "supervisor/record/clock.h"
#include "tools/frame/moment.h"

namespace pievt::tools {

Result<Sequence> store_moment(const Context& context, const Log& log) {
  if (!context.globals.at) return log.head();
  const std::string& text = *context.globals.at;
  if (text.starts_with('@')) {
    std::uint64_t number = 0;
    const auto [end, failed] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
    if (failed != std::errc() || end != text.data() + text.size() || number == 0) {
      return Error{Errc::invalid, fmt::format("--at {}: write @ and a number", text)};
    }
    return Sequence{std::min(number, log.head().value)};
  }
  if (text.find_first_not_of("#0123456789") == std::string::npos) {
    return Error{Errc::invalid,
                 fmt::format("--at {}: a revision counts within one run; for the whole store write "
                             "@ and a sequence, or a time",
                             text)};
  }
  const auto now = static_cast<std::int64_t>(supervisor::wall_now_ns());
  const std::int64_t when = PIEVT_TRY(parse_moment(text, now, context.globals.zone));
  auto reader = log.read({}, {}, Direction::backward);
  while (reader.next()) {
    if (static_cast<std::int64_t>(reader.event().stamp->wall_ns()) <= when) {
      return reader.event().sequence;
    }
  }
  PIEVT_TRY(reader.status());
  return Error{Errc::not_found,
               fmt::format("--at {}: that is before the store's first event", text)};
}

}  // namespace pievt::tools
