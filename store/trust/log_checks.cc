#include "store/trust/log_checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "store/format/keys.h"
#include "store/log/schema_registry.h"

namespace pievt {
namespace {

Place at_page(const StoredPage& page) {
  return {.page = {page.last()}, .sequence = {page.first()}};
}

std::string range(std::uint64_t first, std::uint64_t last) {
  return first == last ? fmt::format("event @{} is", first)
                       : fmt::format("events @{} to @{} are", first, last);
}

}  // namespace

void LogChecks::lose_certainty() {
  complete_ = false;
  chain_.reset();
  pending_.reset();
  for (auto& [number, stream] : streams_) stream.certain = false;
}

const std::string& LogChecks::stream_name(std::uint32_t number) const {
  static const std::string unknown;
  const auto found = streams_.find(number);
  return found == streams_.end() ? unknown : found->second.name;
}

void LogChecks::unreadable(std::uint64_t key, const Error& why) {
  findings_->examined(Check::pages);
  findings_->damaged(Check::pages, {.page = {key}, .sequence = {last_ + 1}}, why.what);
  lose_certainty();
  last_ = std::max(last_, key);
}

// What is stored under `key`. Whatever keeps it from being read is a finding, and then nothing.
std::optional<std::optional<std::string>> LogChecks::stored(Check check, const Place& place,
                                                            Family family, std::string_view key) {
  Result<std::optional<std::string>> value = log_->rocks().get(family, key);
  if (value.ok()) return std::move(*value);
  findings_->damaged(check, place, value.error().what);
  return std::nullopt;
}

void LogChecks::lost(const StoredPage& page, std::uint64_t key) {
  follow(page, key);
  findings_->report(
      Check::pages, Severity::missing, at_page(page),
      fmt::format("{} lost; the store was salvaged without", range(page.first(), page.last())));
  lose_certainty();
}

void LogChecks::page(const StoredPage& page, std::uint64_t key, std::span<const EventView> events) {
  follow(page, key);
  check_schema(page);
  check_chain(page);
  auto event = events.begin();
  for (const format::SegmentView& segment : page.view().segments) {
    // Names first: the stamps of a segment may use what its own events declare.
    const auto end = event + static_cast<std::ptrdiff_t>(segment.stamps.size());
    for (; event != end; ++event) check_event(page, *event);
    check_segment(page, segment);
    check_stamps(page, segment);
    check_append(page, segment);
  }
  check_index(page);
}

void LogChecks::follow(const StoredPage& page, std::uint64_t key) {
  findings_->examined(Check::pages);
  if (key != page.last()) {
    findings_->damaged(Check::pages, at_page(page),
                       fmt::format("a page that ends with @{} is stored as if it ended with @{}",
                                   page.last(), key));
  }
  if (page.first() > last_ + 1) {
    findings_->damaged(Check::pages, at_page(page),
                       fmt::format("{} missing", range(last_ + 1, page.first() - 1)));
    lose_certainty();
  } else if (page.first() <= last_) {
    findings_->damaged(
        Check::pages, at_page(page),
        fmt::format("a page begins with @{}, which another page has already", page.first()));
    lose_certainty();
  }
  last_ = page.last();
}

void LogChecks::check_chain(const StoredPage& page) {
  format::PageView view = page.view();
  findings_->examined(Check::chain, view.segments.size());
  if (view.segments.empty()) return;
  if (!chain_) {
    // The value before this page is lost with the page before: the chain is taken up behind the
    // first commit, of which only the bodies can be checked.
    const format::SegmentView& first = view.segments.front();
    if (sha256(first.bodies) != first.header->body_hash) {
      findings_->damaged(Check::chain, at_page(page),
                         fmt::format("the bodies of @{} and after are not what was hashed",
                                     first.header->first_sequence));
    }
    chain_ = first.header->chain;
    view.segments.erase(view.segments.begin());
  }
  if (const Status status = view.check_chain(*chain_); !status.ok()) {
    findings_->damaged(Check::chain, at_page(page), status.error().what);
  }
  chain_ = page.view().segments.back().header->chain;
}

// What a segment says about its streams and what its stamps say must be the same.
void LogChecks::check_segment(const StoredPage& page, const format::SegmentView& segment) {
  std::size_t counted = 0;
  for (const format::StreamEntry& entry : segment.streams) {
    std::uint64_t count = 0, revision = entry.last_revision;
    for (const schema::Stamp& stamp : segment.stamps) {
      if (stamp.stream() != entry.stream || entry.event_count == 0) continue;
      ++count;
      revision = stamp.revision();
    }
    counted += count;
    if (count == entry.event_count && revision == entry.last_revision) continue;
    findings_->damaged(Check::revisions, at_page(page),
                       fmt::format("the commit of @{} says other things about stream {} than its "
                                   "events do",
                                   segment.header->first_sequence, entry.stream));
  }
  if (counted != segment.stamps.size()) {
    findings_->damaged(Check::revisions, at_page(page),
                       fmt::format("the commit of @{} has events of a stream it does not name",
                                   segment.header->first_sequence));
  }
}

void LogChecks::check_stamps(const StoredPage& page, const format::SegmentView& segment) {
  Sequence sequence{segment.header->first_sequence};
  for (const schema::Stamp& stamp : segment.stamps) {
    findings_->examined(Check::revisions);
    auto found = streams_.find(stamp.stream());
    if (found == streams_.end()) {
      if (complete_) {
        findings_->damaged(Check::streams, {.page = {page.last()}, .sequence = sequence},
                           fmt::format("@{} is in stream {}, which was never declared",
                                       sequence.value, stamp.stream()));
      }
      found = streams_.emplace(stamp.stream(), Stream{"", stamp.revision() - 1, true}).first;
    }
    Stream& stream = found->second;
    const bool follows = stream.certain ? stamp.revision() == stream.revision + 1
                                        : stamp.revision() > stream.revision;
    if (!follows) {
      findings_->damaged(
          Check::revisions, {{page.last()}, sequence, stream.name, {stamp.revision()}},
          fmt::format("revision #{} of {} follows #{}", stamp.revision(),
                      stream.name.empty() ? fmt::format("stream {}", stamp.stream()) : stream.name,
                      stream.revision));
    }
    stream.revision = stamp.revision();
    stream.certain = true;
    ++sequence.value;
  }
}

void LogChecks::check_append(const StoredPage& page, const format::SegmentView& segment) {
  const format::CommitHeader& header = *segment.header;
  const AppendId id{header.append_id};
  if (header.segment == 0) {
    pending_ = Pending{id, header.first_sequence, 0};
  } else if (!pending_) {
    return;  // its beginning is on a page that cannot be read
  }
  if (pending_->id != id || pending_->next_segment != header.segment) {
    findings_->damaged(
        Check::appends, at_page(page),
        fmt::format("@{} does not go on with the append before it", header.first_sequence));
    pending_.reset();
    return;
  }
  if (++pending_->next_segment != header.segment_count) return;

  findings_->examined(Check::appends);
  ++appends_;
  const std::uint64_t last = header.first_sequence + header.event_count - 1;
  const Place place{.page = {page.last()}, .sequence = {pending_->first}};
  const auto value = stored(Check::appends, place, Family::ids, text_of(id.bytes));
  const auto entry = value && *value ? IdEntry::parse(**value) : std::nullopt;
  if (value && (!entry || entry->first != pending_->first || entry->last != last)) {
    findings_->damaged(
        Check::appends, place,
        fmt::format("append {} is @{} to @{}, but its id {}", to_string(id), pending_->first, last,
                    entry ? fmt::format("leads to @{} to @{}", entry->first, entry->last)
                          : "leads nowhere"));
  }
  pending_.reset();
}

void LogChecks::check_index(const StoredPage& page) {
  std::map<std::uint32_t, format::StreamIndexEntry> touched;
  for (const format::SegmentView& segment : page.view().segments) {
    for (const schema::Stamp& stamp : segment.stamps) {
      auto& entry = touched[stamp.stream()];
      if (entry.stream == 0) entry = {stamp.stream(), 0, stamp.revision(), page.last()};
      entry.last_revision = stamp.revision();
    }
  }
  for (const auto& [number, entry] : touched) {
    findings_->examined(Check::index);
    ++index_entries_;
    const Place place{{page.last()}, {page.first()}, stream_name(number), {entry.first_revision}};
    const auto value = stored(Check::index, place, Family::streams, entry.key());
    if (!value || *value == entry.value()) continue;
    findings_->damaged(Check::index, place,
                       fmt::format("the index does not lead to #{} to #{} of {}",
                                   entry.first_revision, entry.last_revision, stream_name(number)));
  }
}

void LogChecks::check_schema(const StoredPage& page) {
  const std::uint64_t name = page.view().header->schema;
  auto found = schemas_.find(name);
  if (found == schemas_.end()) {
    findings_->examined(Check::schemas);
    found = schemas_.emplace(name, std::nullopt).first;
    const auto bytes = load_schema(log_->rocks(), name);
    Status status;
    if (!bytes.ok()) {
      status = bytes.error();
    } else if (auto loaded = reflect::Schema::load(*bytes); loaded.ok()) {
      found->second = std::move(*loaded);
    } else {
      status = loaded.error();
    }
    // The one this program was built with is put back by the next writer; others are gone.
    const bool is_own = name == embedded_schema().short_hash;
    if (!status.ok()) {
      findings_->damaged(
          Check::schemas, at_page(page),
          status.error().what + (is_own ? "; it is one that this pievt knows, so no event is lost"
                                        : "; only a backup has it"));
      if (!is_own) findings_->beyond_rebuild();
    }
  }
  schema_ = found->second ? &*found->second : nullptr;
}

void LogChecks::check_event(const StoredPage& page, const EventView& event) {
  findings_->examined(Check::causes);
  const schema::Head& head = event.head();
  const bool here = head.causation_stream() == 0;
  if ((here && head.causation() >= event.revision().value) ||
      head.correlation() > event.revision().value) {
    findings_->damaged(
        Check::causes,
        {{page.last()}, event.sequence, stream_name(event.stamp->stream()), event.revision()},
        fmt::format("#{} names #{} as its cause, which is not before it", event.revision().value,
                    here && head.causation() >= event.revision().value ? head.causation()
                                                                       : head.correlation()));
  }
  if (event.type() == schema::Payload::StreamDeclared) check_declared(page, event);
  if (event.type() == schema::Payload::RunSealed)
    findings_->sealed(stream_name(event.stamp->stream()), event, log_->place.directory);
}

void LogChecks::check_declared(const StoredPage& page, const EventView& event) {
  const auto& declared = *event.envelope->payload_as_StreamDeclared();
  // Only the log itself declares streams, in the stream that is always the first.
  if (event.stamp->stream() != 1) return;
  findings_->examined(Check::streams);
  const std::string name = declared.name()->str();
  const bool again = !streams_.emplace(declared.number(), Stream{name, 0, true}).second;
  std::string number_key = "n", number;
  format::put_u32(number_key, declared.number());
  format::put_u32(number, declared.number());
  const Place place{{page.last()}, event.sequence, name, {}};
  const auto by_number = stored(Check::streams, place, Family::index, number_key);
  const auto by_name = stored(Check::streams, place, Family::index, "s" + name);
  if (!by_number || !by_name) return;
  if (!again && *by_number == name && *by_name == number) return;
  findings_->damaged(Check::streams, place,
                     again ? fmt::format("stream {} is declared twice", declared.number())
                           : fmt::format("stream {} was declared as {}, but the index disagrees",
                                         declared.number(), name));
}

void LogChecks::count_entries(Family family, std::uint64_t head, std::uint64_t expected,
                              Check check) {
  std::uint64_t count = 0;
  auto cursor = log_->rocks().cursor(family, Rocks::Fill::scan);
  for (cursor.seek(""); cursor.valid(); cursor.next()) {
    std::uint64_t last = 0;
    if (family == Family::ids) {
      const auto entry = IdEntry::parse(cursor.value());
      last = entry ? entry->last : 0;
    } else {
      const auto entry = format::StreamIndexEntry::parse(cursor.key(), cursor.value());
      last = entry ? entry->page_last_sequence : 0;
    }
    if (last <= head) ++count;
  }
  if (const Status status = cursor.status(); !status.ok()) {
    findings_->damaged(check, {}, status.error().what);
  } else if (count != expected && complete_) {
    findings_->damaged(check, {},
                       fmt::format("there are {} entries for {} places", count, expected));
  }
}

void LogChecks::finish(std::uint64_t head) {
  if (last_ < head) {
    findings_->damaged(Check::pages, {.page = {}, .sequence = {last_ + 1}},
                       fmt::format("{} missing", range(last_ + 1, head)));
    lose_certainty();
  }
  count_entries(Family::ids, head, appends_, Check::appends);
  count_entries(Family::streams, head, index_entries_, Check::index);
}

}  // namespace pievt
