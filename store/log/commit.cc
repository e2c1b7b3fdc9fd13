#include "store/log/commit.h"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <deque>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "pievt/shell_word.h"
#include "store/format/keys.h"
#include "store/log/stored_page.h"

namespace pievt {
namespace {

std::uint64_t now_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

std::string id_key(const AppendId& id) {
  return std::string(text_of(id.bytes));
}

// A page while it is being filled, and the entries by which it will be found.
struct PagePlan {
  format::PageBuilder builder;
  std::uint64_t first = 0, last = 0;
  std::vector<format::StreamIndexEntry> streams;  ///< one each

  void add_to_index(std::uint32_t stream, std::uint64_t first_revision,
                    std::uint64_t last_revision) {
    const auto known = std::ranges::find(streams, stream, &format::StreamIndexEntry::stream);
    if (known == streams.end()) {
      streams.push_back({stream, last_revision, first_revision, 0});
    } else {
      known->last_revision = last_revision;
    }
  }
};

}  // namespace

std::string IdEntry::value() const {
  std::string out;
  format::put_u64(out, first);
  format::put_u64(out, last);
  out += text_of(request_hash);
  return out;
}

std::optional<IdEntry> IdEntry::parse(std::string_view value) {
  IdEntry entry{};
  if (value.size() != 16 + entry.request_hash.size()) return std::nullopt;
  entry.first = *format::get_u64(value);
  entry.last = *format::get_u64(value, 8);
  std::memcpy(entry.request_hash.data(), value.data() + 16, entry.request_hash.size());
  return entry;
}

// The group while it is being put together. Nothing of it is visible before write() has succeeded.
struct Committer::Group {
  // An append of this group, or a declaration of ours.
  struct Placed {
    AppendId id;
    const Digest* request_hash;
    Appended positions;
  };

  Group(const Rocks& rocks, std::uint64_t last_before, const Digest& chain_before)
      : writes(rocks), last(last_before), chain(chain_before) {}

  WriteSet writes;
  std::deque<PagePlan> pages;
  std::deque<EncodedAppend> declarations;  // keeps what `placed` points to
  std::vector<Placed> placed;
  std::uint64_t last;
  Digest chain;
  Durability durability = Durability::memory;
  std::uint64_t wall_ns = now_ns(CLOCK_REALTIME);
  std::uint64_t monotonic_ns = now_ns(CLOCK_BOOTTIME);

  PagePlan& page_with_room(std::size_t bytes) {
    if (pages.empty() || !pages.back().builder.has_room(bytes))
      pages.emplace_back().first = last + 1;
    return pages.back();
  }
};

Result<AppendId> highest_append_id(const Rocks& rocks) {
  auto cursor = rocks.cursor(Family::ids);
  cursor.seek_to_last();
  PIEVT_TRY(cursor.status());
  AppendId id;
  if (cursor.valid() && cursor.key().size() == id.bytes.size())
    std::memcpy(id.bytes.data(), cursor.key().data(), id.bytes.size());
  return id;
}

Committer::Committer(Rocks& rocks, WriterFacts facts, const LogEnd& end)
    : rocks_(&rocks),
      facts_(facts),
      last_(end.last),
      handed_(end.last),
      synced_(end.last),
      chain_(end.chain),
      streams_(rocks, end.last_stream),
      used_(end.highest_id) {}

void Committer::commit(std::span<GroupMember* const> group) {
  Group plan(*rocks_, last_, chain_);
  bool strengthen = false;
  for (GroupMember* member : group) {
    member->result = admit(plan, *member->append, member->actor);
    if (is_as_durable(*member)) continue;
    strengthen = true;
    plan.durability = std::max(plan.durability, member->append->durability);
  }
  Status written;
  if (!plan.pages.empty()) {
    written = write(plan);
  } else if (strengthen) {
    written = rocks_->flush_wal(plan.durability);
  } else {
    return;
  }
  if (written.ok()) {
    last_ = plan.last;
    if (plan.durability >= Durability::wal) handed_ = last_;
    if (plan.durability >= Durability::fsync) synced_ = last_;
    return;
  }
  for (GroupMember* member : group) member->result = written.error();
}

// An append that is repeated may have been written by somebody who asked for less.
bool Committer::is_as_durable(const GroupMember& member) const {
  if (!member.result.ok() || member.result->outcome != AppendOutcome::already_there) return true;
  switch (member.append->durability) {
    case Durability::memory:
      return true;
    case Durability::wal:
      return member.result->last.value <= handed_;
    case Durability::fsync:
      return member.result->last.value <= synced_;
  }
  return false;
}

Result<std::optional<Appended>> Committer::find_earlier(Group& group,
                                                        const EncodedAppend::Impl& append) {
  const auto reused = [&] {
    return Error{Errc::id_reused, fmt::format("append id {} was used before for other events; "
                                              "make a new id for a new append",
                                              to_string(append.id))};
  };
  if (!used_.may_be_known(append.id)) return std::optional<Appended>();
  if (const auto here = std::ranges::find(group.placed, append.id, &Group::Placed::id);
      here != group.placed.end()) {
    if (*here->request_hash != append.request_hash) return reused();
    Appended again = here->positions;
    again.outcome = AppendOutcome::already_there;
    return std::optional(again);
  }
  const auto stored = PIEVT_TRY(rocks_->get(Family::ids, id_key(append.id)));
  if (!stored) return std::optional<Appended>();
  const auto entry = IdEntry::parse(*stored);
  if (!entry) {
    return Error{Errc::corrupt,
                 fmt::format("the entry of append id {} is damaged; run: {}", to_string(append.id),
                             store_command("doctor --rebuild", rocks_->store()))};
  }
  if (entry->request_hash != append.request_hash) return reused();
  return std::optional(PIEVT_TRY(positions_of(*rocks_, append.id, {entry->first}, {entry->last})));
}

Result<Appended> Committer::admit(Group& group, const EncodedAppend::Impl& append,
                                  std::uint32_t actor) {
  if (auto earlier = PIEVT_TRY(find_earlier(group, append))) return *std::move(earlier);

  std::vector<StreamHead*> heads;
  for (const EncodedAppend::Impl::Stream& stream : append.streams) {
    StreamHead* head = PIEVT_TRY(streams_.find(stream.name));
    if (!stream.expected.admits({head->revision})) {
      return Error{
          Errc::conflict,
          fmt::format("stream {} is at {}, expected was {}; read what was added and decide again",
                      stream.name,
                      head->revision == 0 ? "none" : fmt::format("#{}", head->revision),
                      to_string(stream.expected))};
    }
    heads.push_back(head);
  }
  PIEVT_TRY(declare_streams(group, append, actor, heads));
  return place(group, append, actor, heads);
}

Status Committer::declare_streams(Group& group, const EncodedAppend::Impl& append,
                                  std::uint32_t actor, const std::vector<StreamHead*>& heads) {
  StreamEvents declared{"store", Expected::any(), {}};
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const EncodedAppend::Impl::Stream& stream = append.streams[i];
    if (heads[i]->number != 0 || stream.event_count == 0) continue;
    schema::StreamDeclaredT event;
    event.number = streams_.declare(*heads[i]);
    event.name = stream.name;
    std::string number_key = "n", number;
    format::put_u32(number_key, event.number);
    format::put_u32(number, event.number);
    group.writes.put(Family::index, number_key, stream.name);
    group.writes.put(Family::index, "s" + stream.name, number);
    declared.events.push_back({std::move(event), {}, {}, 0});
  }
  if (declared.events.empty()) return {};
  EncodedAppend encoded = PIEVT_TRY(
      EncodedAppend::encode(std::span(&declared, 1), {.id = {}, .durability = append.durability}));
  StreamHead* store = PIEVT_TRY(streams_.find(declared.stream));
  group.declarations.push_back(std::move(encoded));
  place(group, group.declarations.back().impl(), actor, {store});
  return {};
}

Appended Committer::place(Group& group, const EncodedAppend::Impl& append, std::uint32_t actor,
                          const std::vector<StreamHead*>& heads) {
  Appended placed{AppendOutcome::written, append.id, {group.last + 1}, {}, {}};
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const std::uint64_t before = heads[i]->revision;
    const std::uint32_t count = append.streams[i].event_count;
    placed.streams.push_back({{count == 0 ? 0 : before + 1}, {before + count}});
  }
  std::uint16_t number = 0;
  for (const EncodedAppend::Impl::Segment& segment : append.segments)
    place_segment(group, append, segment, number++, actor, heads);
  placed.last = {group.last};
  group.durability = std::max(group.durability, append.durability);
  group.placed.push_back({append.id, &append.request_hash, placed});
  used_.add(append.id);
  return placed;
}

void Committer::place_segment(Group& group, const EncodedAppend::Impl& append,
                              const EncodedAppend::Impl::Segment& segment, std::uint16_t number,
                              std::uint32_t actor, const std::vector<StreamHead*>& heads) {
  const std::size_t bytes =
      format::segment_bytes(heads.size(), segment.event_count, segment.byte_count);
  PagePlan& page = group.page_with_room(bytes);
  const format::SegmentSpace space =
      page.builder.add({append.id.bytes,
                        group.last + 1,
                        static_cast<std::uint32_t>(segment.event_count),
                        static_cast<std::uint32_t>(heads.size()),
                        static_cast<std::uint32_t>(bytes),
                        number,
                        static_cast<std::uint16_t>(append.segments.size()),
                        static_cast<std::uint32_t>(segment.first_event),
                        static_cast<std::uint32_t>(append.durability),
                        segment.body_hash,
                        {}});
  std::ranges::copy(append.bodies_of(segment), space.bodies.begin());
  for (std::size_t i = 0; i < segment.event_count; ++i) {
    const EncodedAppend::Impl::Event& event = append.events[segment.first_event + i];
    StreamHead& head = *heads[event.stream];
    ++space.streams[event.stream].event_count;
    space.stamps[i] = {head.number,      actor, ++head.revision, group.wall_ns, group.monotonic_ns,
                       event.body_bytes, 0u};
  }
  for (std::size_t i = 0; i < heads.size(); ++i) {
    format::StreamEntry& entry = space.streams[i];
    entry.stream = heads[i]->number;
    entry.expected = append.streams[i].expected.code();
    entry.last_revision = heads[i]->revision;
    if (entry.event_count == 0) continue;
    page.add_to_index(entry.stream, entry.last_revision - entry.event_count + 1,
                      entry.last_revision);
  }
  page.builder.close(group.chain);
  group.last += segment.event_count;
  page.last = group.last;
}

Status Committer::write(Group& group) {
  // In their order: RocksDB is quick to find the place of a key that follows the one before.
  std::ranges::sort(group.placed, {}, &Group::Placed::id);
  for (const Group::Placed& one : group.placed) {
    const Appended& placed = one.positions;
    group.writes.put(Family::ids, id_key(one.id),
                     IdEntry{placed.first.value, placed.last.value, *one.request_hash}.value());
  }
  for (PagePlan& plan : group.pages) {
    format::PageHeader header{};
    header.first_sequence = plan.first;
    header.last_sequence = plan.last;
    header.schema = facts_.schema;
    header.epoch = facts_.epoch;
    header.store = facts_.store;
    group.writes.put(Family::log, format::log_key(plan.last), text_of(plan.builder.finish(header)));
    for (format::StreamIndexEntry& entry : plan.streams) {
      entry.page_last_sequence = plan.last;
      group.writes.put(Family::streams, entry.key(), entry.value());
    }
  }
  PIEVT_TRY(rocks_->write(std::move(group.writes), group.durability));
  chain_ = group.chain;
  return {};
}

}  // namespace pievt
