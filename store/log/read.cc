// Walking through pages. A reader checks every page it touches (size, checksum, bounds, every body)
// and believes only pages that continue, without a hole, what it has seen. A hole can only be a
// secondary that is not up to date, and is answered by catching up; only when that does not help is
// it corruption.
#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "pievt/limits.h"
#include "pievt/shell_word.h"
#include "store/format/keys.h"
#include "store/log/log_impl.h"
#include "store/log/stored_page.h"
#include "store/log/stream_table.h"

namespace pievt {

struct EventReader::Impl {
  Log::Impl* log = nullptr;
  Rocks* rocks = nullptr;  ///< of the log, at the time; a log that becomes the writer has another
  const Rocks* streams = nullptr;  ///< of a stream: where its index is
  std::uint64_t store = 0;         ///< the short id every page must bear
  Direction direction = Direction::forward;
  std::uint64_t bound = 0;  ///< nothing above this sequence is shown

  // Of one stream: revisions, else sequences. `next` is the one the next page must hold.
  std::optional<std::uint32_t> stream;
  std::uint64_t next = 1, end = 0;
  bool finished = false;
  std::optional<Error> failure;  ///< why it cannot even begin

  std::optional<Rocks::Cursor> pages, index;
  StoredPage page;
  // Of a stream: the last two of its pages lay side by side, so the next one is tried before the
  // index is asked; the index is then behind and has to be sought in.
  bool has_neighbours = false, index_is_behind = false;
  std::vector<EventView> events;

  // A few events: likely to be asked for again, and reading a megabyte ahead would be most of the
  // work.
  bool is_short() const {
    constexpr std::uint64_t short_max = 1000;
    return (direction == Direction::forward ? end - next : next - end) < short_max;
  }
  bool past_end() const {
    return direction == Direction::forward ? next > end : next < end || next == 0;
  }
  Result<bool> load_next();

 private:
  Status load_page_of(std::uint64_t sequence);
  Result<std::optional<format::StreamIndexEntry>> entry_of(std::uint64_t revision);
  Status collect();
  Result<format::StreamIndexEntry> entry_of_next();
  Result<bool> load_by_sequence();
  Result<bool> load_neighbour();
  Result<bool> load_by_revision();
};

// The page must hold `sequence`. Moves by one entry where that is enough, which it nearly always
// is.
Status EventReader::Impl::load_page_of(std::uint64_t sequence) {
  for (int round = 0; round < 2; ++round) {
    if (!pages) {
      pages.emplace(
          rocks->cursor(Family::log, is_short() ? Rocks::Fill::cache : Rocks::Fill::scan));
      pages->seek(format::log_key(sequence));
    } else {
      if (pages->valid()) direction == Direction::forward ? pages->next() : pages->prev();
      const auto last = pages->valid() ? format::get_u64(pages->key()) : std::nullopt;
      if (!last || *last < sequence) pages->seek(format::log_key(sequence));
    }
    if (pages->valid()) {
      PIEVT_TRY(page.load(pages->value(), store));
      if (page.first() <= sequence && sequence <= page.last()) return {};
      pages->seek(format::log_key(sequence));
      if (pages->valid()) {
        PIEVT_TRY(page.load(pages->value(), store));
        if (page.first() <= sequence && sequence <= page.last()) return {};
      }
    }
    PIEVT_TRY(pages->status());
    PIEVT_TRY(log->heal(*rocks, {sequence}));
    pages.reset();
  }
  return Error{Errc::corrupt, fmt::format("the page of @{} is missing; run: {}", sequence,
                                          store_command("verify --all", log->place.directory))};
}

Result<bool> EventReader::Impl::load_by_sequence() {
  PIEVT_TRY(load_page_of(next));
  PIEVT_TRY(collect());
  next = direction == Direction::forward ? page.last() + 1 : page.first() - 1;
  return true;
}

Result<std::optional<format::StreamIndexEntry>> EventReader::Impl::entry_of(
    std::uint64_t revision) {
  if (!index) {
    index.emplace(streams->cursor(Family::streams));
    index->seek(format::stream_key(*stream, revision));
  } else if (std::exchange(index_is_behind, false)) {
    index->seek(format::stream_key(*stream, revision));
  } else if (index->valid()) {
    direction == Direction::forward ? index->next() : index->prev();
  }
  PIEVT_TRY(index->status());
  if (!index->valid()) return std::optional<format::StreamIndexEntry>();
  const auto entry = format::StreamIndexEntry::parse(index->key(), index->value());
  if (!entry)
    return Error{Errc::corrupt,
                 fmt::format("an entry of the stream index is damaged; run: {}",
                             store_command("doctor --rebuild", log->place.directory))};
  if (entry->stream != *stream) return std::optional<format::StreamIndexEntry>();
  return entry;
}

// The page beside the last one, if it goes on with the stream where that one ended. It is as good
// as one the index names: the revisions it holds are its own word either way.
Result<bool> EventReader::Impl::load_neighbour() {
  direction == Direction::forward ? pages->next() : pages->prev();
  if (!pages->valid()) return false;
  // A damaged page that is not this stream's is nothing to this stream.
  if (!page.load(pages->value(), store).ok() || page.last() > bound) return false;
  std::uint64_t first = 0, last = 0;
  for (const format::SegmentView& segment : page.view().segments) {
    for (const format::StreamEntry& entry : segment.streams) {
      if (entry.stream != *stream || entry.event_count == 0) continue;
      if (first == 0) first = entry.last_revision - entry.event_count + 1;
      last = entry.last_revision;
    }
  }
  if ((direction == Direction::forward ? first : last) != next) return false;
  PIEVT_TRY(collect());
  next = direction == Direction::forward ? last + 1 : first - 1;
  return true;
}

// Every revision up to the one that the index calls the last has an entry. Beside a living writer a
// secondary can lack one for a moment, as it can lack a page.
Result<format::StreamIndexEntry> EventReader::Impl::entry_of_next() {
  const auto deadline = std::chrono::steady_clock::now() + limits::catch_up_max;
  for (;;) {
    const auto entry = PIEVT_TRY(entry_of(next));
    if (entry && entry->first_revision <= next && next <= entry->last_revision) return *entry;
    if (!log->writer_alive || std::chrono::steady_clock::now() >= deadline) break;
    PIEVT_TRY(rocks->catch_up());
    index.reset();
    std::this_thread::yield();
  }
  return Error{Errc::corrupt,
               fmt::format("revision #{} of stream {} is missing from the index; "
                           "run: {}",
                           next, *stream, store_command("doctor --rebuild", log->place.directory))};
}

Result<bool> EventReader::Impl::load_by_revision() {
  if (has_neighbours) {
    index_is_behind = true;
    if (PIEVT_TRY(load_neighbour())) return true;
    has_neighbours = false;
  }
  const format::StreamIndexEntry entry = PIEVT_TRY(entry_of_next());
  if (entry.page_last_sequence > log->committed) {
    // Written, but not promised to be on the disk yet.
    if (direction == Direction::forward) return false;
    next = entry.first_revision - 1;
    events.clear();
    return true;
  }
  const bool has_left = page.view().header != nullptr;
  const std::uint64_t before = has_left ? page.first() : 0;
  const std::uint64_t after = has_left ? page.last() + 1 : 0;
  PIEVT_TRY(load_page_of(entry.page_last_sequence));
  has_neighbours = page.first() == after || page.last() + 1 == before;
  PIEVT_TRY(collect());
  next = direction == Direction::forward ? entry.last_revision + 1 : entry.first_revision - 1;
  return true;
}

Status EventReader::Impl::collect() {
  events.clear();
  PIEVT_TRY(format::collect_events(page.view(), stream, events));
  const std::uint64_t low = direction == Direction::forward ? next : end;
  const std::uint64_t high = direction == Direction::forward ? end : next;
  if (stream || page.first() < low || page.last() > high || page.last() > bound) {
    std::erase_if(events, [&](const EventView& event) {
      const std::uint64_t at = stream ? event.revision().value : event.sequence.value;
      return at < low || at > high || event.sequence.value > bound;
    });
  }
  if (direction == Direction::backward) std::ranges::reverse(events);
  return {};
}

Result<bool> EventReader::Impl::load_next() {
  if (failure) return *failure;
  do {
    if (finished || past_end()) return false;
    if (!PIEVT_TRY(stream ? load_by_revision() : load_by_sequence())) {
      finished = true;
      return false;
    }
  } while (events.empty());
  return true;
}

bool EventReader::next_page() {
  if (impl_ == nullptr || !status_.ok()) return false;
  const Result<bool> loaded = impl_->load_next();
  at_ = 0;
  page_events_ = {};
  if (!loaded.ok()) {
    status_ = loaded.error();
    return false;
  }
  if (!*loaded) return false;
  page_events_ = impl_->events;
  return true;
}

EventReader::EventReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventReader::EventReader(EventReader&&) noexcept = default;
EventReader& EventReader::operator=(EventReader&&) noexcept = default;
EventReader::~EventReader() = default;

EventReader Log::read(Sequence from, Sequence to, Direction direction) const {
  return read_between(*impl_, from, to, direction);
}

EventReader read_between(Log::Impl& log, Sequence from, Sequence to, Direction direction) {
  auto impl = std::make_unique<EventReader::Impl>();
  static_cast<void>(log.see_own_appends());  // not seen: the next look at HEAD tells why
  impl->log = &log;
  impl->rocks = &log.rocks();
  impl->store = log.place.identity.short_id();
  const std::uint64_t head = log.committed;
  impl->direction = direction;
  impl->bound = head;
  if (direction == Direction::forward) {
    impl->next = std::max<std::uint64_t>(from.value, 1);
    impl->end = to.value == 0 ? head : std::min(to.value, head);
  } else {
    impl->next = from.value == 0 ? head : std::min(from.value, head);
    impl->end = std::max<std::uint64_t>(to.value, 1);
  }
  return EventReader(std::move(impl));
}

EventReader Log::read_stream(std::string_view stream, Revision from, Revision to,
                             Direction direction) const {
  auto impl = std::make_unique<EventReader::Impl>();
  static_cast<void>(impl_->see_own_appends());  // not seen: the next look at HEAD tells why
  impl->log = impl_.get();
  impl->rocks = &impl_->rocks();
  impl->store = impl_->place.identity.short_id();
  impl->direction = direction;
  impl->bound = impl_->committed;
  const Result<const Rocks*> index = impl_->index();
  const auto head =
      index.ok() ? find_stream(**index, stream) : Result<std::optional<StreamHead>>(index.error());
  if (!head.ok()) {
    impl->failure = head.error();
    return EventReader(std::move(impl));
  }
  if (!*head || (*head)->revision == 0) {
    impl->finished = true;
    return EventReader(std::move(impl));
  }
  impl->streams = *index;
  const std::uint64_t last = (*head)->revision;
  impl->stream = (*head)->number;
  if (direction == Direction::forward) {
    impl->next = std::max<std::uint64_t>(from.value, 1);
    impl->end = to.value == 0 ? last : std::min(to.value, last);
  } else {
    impl->next = from.value == 0 ? last : std::min(from.value, last);
    impl->end = std::max<std::uint64_t>(to.value, 1);
  }
  return EventReader(std::move(impl));
}

}  // namespace pievt
