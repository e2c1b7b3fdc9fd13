#include "tools/verbs/store_moment.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "supervisor/record/clock.h"
#include "tools/frame/moment.h"

namespace pievt::tools {
namespace {

struct Recorded {
  std::uint64_t sequence = 0, wall_ns = 0;  ///< sequence 0: there is none
};

// The first event from `first` to `last`. Not every sequence has one: events may have been lost.
Result<Recorded> first_between(const Log& log, std::uint64_t first, std::uint64_t last) {
  constexpr std::uint64_t few = 500;  // what few are read of is kept, and nothing is read ahead
  for (const std::uint64_t to : {std::min(first + few, last), last}) {
    auto reader = log.read({first}, {to});
    if (reader.next())
      return Recorded{reader.event().sequence.value, reader.event().stamp->wall_ns()};
    PIEVT_TRY(reader.status());
  }
  return Recorded{};
}

// Halves the log for where it passes `wall_ns`.
Result<Sequence> halved_for(const Log& log, std::uint64_t wall_ns) {
  std::uint64_t first = 1, end = log.head().value + 1;
  while (first < end) {
    const std::uint64_t middle = first + (end - first) / 2;
    const Recorded found = PIEVT_TRY(first_between(log, middle, end - 1));
    if (found.sequence == 0 || found.wall_ns > wall_ns) {
      end = middle;
    } else {
      first = found.sequence + 1;
    }
  }
  if (first == 1) return Sequence{};
  auto reader = log.read({first - 1}, {}, Direction::backward);
  if (reader.next()) return reader.event().sequence;
  PIEVT_TRY(reader.status());
  return Sequence{};
}

}  // namespace

Result<Sequence> sequence_at(const Log& log, std::uint64_t wall_ns) {
  if (const Result<Sequence> halved = halved_for(log, wall_ns); halved.ok()) return halved;
  // Something in the middle cannot be read, which need not matter to where the moment is.
  auto reader = log.read({}, {}, Direction::backward);
  while (reader.next()) {
    if (reader.event().stamp->wall_ns() <= wall_ns) return reader.event().sequence;
  }
  PIEVT_TRY(reader.status());
  return Sequence{};
}

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
  const Sequence found =
      when < 0 ? Sequence{} : PIEVT_TRY(sequence_at(log, static_cast<std::uint64_t>(when)));
  if (found.value != 0) return found;
  return Error{Errc::not_found,
               fmt::format("--at {}: that is before the store's first event", text)};
}

}  // namespace pievt::tools
