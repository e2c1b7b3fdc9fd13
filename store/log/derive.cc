#include "store/log/derive.h"

#include <algorithm>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "store/format/keys.h"
#include "store/log/commit.h"
#include "store/log/stream_table.h"

namespace pievt {
namespace {

std::string numbered(char letter, std::uint32_t number) {
  std::string key(1, letter);
  format::put_u32(key, number);
  return key;
}

}  // namespace

Status Derivation::page(const StoredPage& page, std::span<const EventView> events, WriteSet& to) {
  if (page.view().is_lost()) {
    if (open_) {
      open_->whole = false;
      PIEVT_TRY(close_append(to));
    }
    lost_page_ = page.last();
    return {};
  }
  // Names first: the stamps of a page may use what its own events declare.
  for (const EventView& event : events) declare(event, to);
  if (what_ == Derive::everything) {
    for (const format::SegmentView& part : page.view().segments) PIEVT_TRY(segment(part, to));
  }
  return streams_of(page, to);
}

void Derivation::declare(const EventView& event, WriteSet& to) {
  // Only the log itself declares, in the stream that is always the first.
  if (event.stamp->stream() != 1) return;
  if (const auto* stream = event.envelope->payload_as_StreamDeclared()) {
    put_name(stream->number(), stream->name()->str(), to);
  } else if (const auto* actor = event.envelope->payload_as_ActorDeclared()) {
    const std::string program = actor->program() == nullptr ? "" : actor->program()->str();
    to.put(Family::index, numbered('a', actor->number()), program);
  }
}

void Derivation::put_name(std::uint32_t number, const std::string& name, WriteSet& to) {
  std::string value;
  format::put_u32(value, number);
  to.put(Family::index, numbered('n', number), name);
  to.put(Family::index, "s" + name, value);
  names_[number] = name;
}

Status Derivation::segment(const format::SegmentView& segment, WriteSet& to) {
  const format::CommitHeader& header = *segment.header;
  const AppendId id{header.append_id};
  const bool continues =
      open_ && open_->id == id && open_->next_segment == header.segment && header.segment != 0;
  if (!continues) {
    if (open_) {
      open_->whole = false;
      PIEVT_TRY(close_append(to));
    }
    open_.emplace();
    open_->id = id;
    open_->first = header.first_sequence;
    open_->whole = header.segment == 0;
    for (const format::StreamEntry& entry : segment.streams)
      open_->streams.push_back({entry.stream, entry.expected, 0});
  }
  if (open_->streams.size() != segment.streams.size()) {
    return Error{Errc::corrupt, fmt::format("the parts of the append at @{} name different streams",
                                            header.first_sequence)};
  }
  for (std::size_t i = 0; i < segment.streams.size(); ++i)
    open_->streams[i].count += segment.streams[i].event_count;
  open_->body_hashes.push_back(header.body_hash);
  open_->next_segment = static_cast<std::uint16_t>(header.segment + 1);
  open_->last = header.first_sequence + header.event_count - 1;
  if (open_->next_segment == header.segment_count) return close_append(to);
  return {};
}

// The sum that EncodedAppend makes of what was asked for.
Result<std::optional<Digest>> Derivation::request_hash(const OpenAppend& append) {
  Sha256 hash;
  for (const OpenAppend::Stream& stream : append.streams) {
    if (stream.number == 0) return std::optional<Digest>();
    const std::string name = PIEVT_TRY(name_of(stream.number));
    if (name.empty()) return std::optional<Digest>();
    const std::uint64_t facts[] = {stream.expected, stream.count, name.size()};
    hash.update(std::as_bytes(std::span(facts)));
    hash.update(name);
  }
  for (const Digest& body : append.body_hashes) hash.update(body);
  return std::optional(hash.finish());
}

Status Derivation::close_append(WriteSet& to) {
  IdEntry entry{open_->first, open_->last, {}};
  const std::string key(text_of(open_->id.bytes));
  std::optional<Digest> hash;
  if (open_->whole) hash = PIEVT_TRY(request_hash(*open_));
  if (open_->whole && !hash && older_.id_entry) {
    const auto stored = older_.id_entry(key);
    const auto older = stored ? IdEntry::parse(*stored) : std::nullopt;
    if (older && older->first == entry.first && older->last == entry.last)
      hash = older->request_hash;
  }
  // No request has a hash of zeros: a retry is refused, and nothing is appended twice.
  if (!hash) ++unrepeatable_;
  entry.request_hash = hash.value_or(Digest{});
  to.put(Family::ids, key, entry.value());
  open_.reset();
  return {};
}

Status Derivation::streams_of(const StoredPage& page, WriteSet& to) {
  std::map<std::uint32_t, format::StreamIndexEntry> touched;
  for (const format::SegmentView& segment : page.view().segments) {
    for (const schema::Stamp& stamp : segment.stamps) {
      auto& entry = touched[stamp.stream()];
      if (entry.stream == 0) entry = {stamp.stream(), 0, stamp.revision(), page.last()};
      const std::uint64_t before = entry.last_revision;
      if (before != 0 && stamp.revision() != before + 1) {
        return Error{Errc::corrupt,
                     fmt::format("page of @{}: revision #{} of stream {} follows #{}", page.last(),
                                 stamp.revision(), stamp.stream(), before)};
      }
      entry.last_revision = stamp.revision();
    }
  }
  for (const auto& [number, entry] : touched) {
    if (PIEVT_TRY(name_of(number)).empty()) PIEVT_TRY(name_lost_stream(number, to));
    const std::uint64_t before = PIEVT_TRY(revision_of(number));
    // Looking for lost events may take a while, and mostly there is nothing to explain.
    std::optional<std::uint64_t> gap;
    if (entry.first_revision > before + 1) gap = PIEVT_TRY(lost_page());
    if (entry.first_revision <= before || (entry.first_revision != before + 1 && !gap)) {
      return Error{Errc::corrupt,
                   fmt::format("page of @{}: revision #{} of {} follows #{}", page.last(),
                               entry.first_revision, PIEVT_TRY(name_of(number)), before)};
    }
    if (entry.first_revision != before + 1) {
      const format::StreamIndexEntry lost{number, entry.first_revision - 1, before + 1, *gap};
      to.put(Family::streams, lost.key(), lost.value());
    }
    to.put(Family::streams, entry.key(), entry.value());
    revisions_[number] = entry.last_revision;
  }
  return {};
}

Status Derivation::name_lost_stream(std::uint32_t stream, WriteSet& to) {
  if (!PIEVT_TRY(lost_page())) {
    return Error{Errc::corrupt, fmt::format("stream {} was never declared", stream)};
  }
  std::optional<std::string> name;
  if (older_.stream_name) name = older_.stream_name(stream);
  if (!name) name = stream == 1 ? "store" : fmt::format("lost/{}", stream);
  put_name(stream, *name, to);
  return {};
}

Result<std::string> Derivation::name_of(std::uint32_t stream) {
  const auto known = names_.find(stream);
  if (known != names_.end()) return known->second;
  auto stored = name_of_stream(*derived_, stream);
  if (!stored.ok() && stored.error().code == Errc::not_found) return std::string();
  return names_[stream] = PIEVT_TRY(std::move(stored));
}

Result<std::uint64_t> Derivation::revision_of(std::uint32_t stream) {
  const auto known = revisions_.find(stream);
  if (known != revisions_.end()) return known->second;
  auto cursor = derived_->cursor(Family::streams);
  cursor.seek_for_prev(format::stream_key(stream, UINT64_MAX));
  PIEVT_TRY(cursor.status());
  std::uint64_t revision = 0;
  if (cursor.valid()) {
    const auto entry = format::StreamIndexEntry::parse(cursor.key(), cursor.value());
    if (entry && entry->stream == stream) revision = entry->last_revision;
  }
  return revisions_[stream] = revision;
}

// The last page of lost events before here, if there is one. Looked for once, from the end, when
// going on behind what is there already.
Result<std::optional<std::uint64_t>> Derivation::lost_page() {
  if (lost_page_ || lost_page_looked_for_) return lost_page_;
  lost_page_looked_for_ = true;
  auto cursor = derived_->cursor(Family::log, Rocks::Fill::scan);
  for (cursor.seek_to_last(); cursor.valid(); cursor.prev()) {
    StoredPage page;
    PIEVT_TRY(page.load(cursor.value(), 0));
    if (!page.view().is_lost()) continue;
    lost_page_ = page.last();
    break;
  }
  PIEVT_TRY(cursor.status());
  return lost_page_;
}

}  // namespace pievt
