#include "store/log/commit.h"

#include <cstring>
#include <ctime>
#include <map>

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

struct PagePlan {
  std::vector<format::SegmentPlan> segments;
  std::size_t bytes = 0;
  std::map<std::uint32_t, format::StreamIndexEntry> touched;
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
  explicit Group(const Rocks& rocks) : writes(rocks) {}

  WriteSet writes;
  std::vector<PagePlan> pages;
  std::vector<EncodedAppend> declarations;  // keeps the bodies of our own events alive
  std::map<AppendId, std::pair<Digest, Appended>> placed;  // our own declarations, too
  std::uint64_t last = 0;
  Durability durability = Durability::memory;
  std::uint64_t wall_ns = now_ns(CLOCK_REALTIME);
  std::uint64_t monotonic_ns = now_ns(CLOCK_BOOTTIME);

  PagePlan& page_with_room(std::size_t bytes) {
    if (pages.empty() || pages.back().bytes + bytes > format::page_room) pages.emplace_back();
    return pages.back();
  }
};

Committer::Committer(Rocks& rocks, WriterFacts facts, std::uint64_t last, const Digest& chain,
                     std::uint32_t last_stream)
    : rocks_(&rocks),
      facts_(facts),
      last_(last),
      handed_(last),
      synced_(last),
      chain_(chain),
      streams_(rocks, last_stream) {}

void Committer::commit(std::span<GroupMember* const> group) {
  Group plan(*rocks_);
  plan.last = last_;
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
  if (const auto here = group.placed.find(append.id); here != group.placed.end()) {
    if (here->second.first != append.request_hash) return reused();
    Appended again = here->second.second;
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
  PIEVT_TRY(declare_streams(group, append, actor));
  return place(group, append, actor, heads);
}

Status Committer::declare_streams(Group& group, const EncodedAppend::Impl& append,
                                  std::uint32_t actor) {
  StreamEvents declared{"store", Expected::any(), {}};
  for (const EncodedAppend::Impl::Stream& stream : append.streams) {
    StreamHead* head = PIEVT_TRY(streams_.find(stream.name));
    if (head->number != 0 || stream.event_count == 0) continue;
    schema::StreamDeclaredT event;
    event.number = streams_.declare(*head);
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
  place(group, encoded.impl(), actor, {store});
  group.declarations.push_back(std::move(encoded));
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
  for (const EncodedAppend::Impl::Segment& segment : append.segments) {
    const std::size_t bytes =
        format::segment_bytes(heads.size(), segment.event_count, segment.byte_count);
    PagePlan& page = group.page_with_room(bytes);
    format::SegmentPlan plan;
    plan.bodies = append.bodies_of(segment);
    std::vector<std::uint32_t> counts(heads.size());
    for (std::size_t i = segment.first_event; i < segment.first_event + segment.event_count; ++i) {
      const EncodedAppend::Impl::Event& event = append.events[i];
      StreamHead& head = *heads[event.stream];
      ++counts[event.stream];
      ++head.revision;
      plan.stamps.emplace_back(head.number, actor, head.revision, group.wall_ns, group.monotonic_ns,
                               event.body_bytes, 0u);
      auto& entry = page.touched[head.number];
      if (entry.stream == 0) entry = {head.number, head.revision, head.revision, 0};
      entry.last_revision = head.revision;
    }
    for (std::size_t i = 0; i < heads.size(); ++i) {
      plan.streams.push_back(
          {heads[i]->number, counts[i], append.streams[i].expected.code(), heads[i]->revision});
    }
    plan.header = {append.id.bytes,
                   group.last + 1,
                   static_cast<std::uint32_t>(segment.event_count),
                   static_cast<std::uint32_t>(heads.size()),
                   static_cast<std::uint32_t>(bytes),
                   number++,
                   static_cast<std::uint16_t>(append.segments.size()),
                   static_cast<std::uint32_t>(segment.first_event),
                   static_cast<std::uint32_t>(append.durability),
                   segment.body_hash,
                   {}};
    group.last += segment.event_count;
    page.bytes += bytes;
    page.segments.push_back(std::move(plan));
  }
  placed.last = {group.last};
  group.durability = std::max(group.durability, append.durability);
  group.placed.emplace(append.id, std::pair(append.request_hash, placed));
  return placed;
}

Status Committer::write(Group& group) {
  // In their order: RocksDB is quick to find the place of a key that follows the one before.
  for (const auto& [id, earlier] : group.placed) {
    const auto& [request_hash, placed] = earlier;
    group.writes.put(Family::ids, id_key(id),
                     IdEntry{placed.first.value, placed.last.value, request_hash}.value());
  }
  std::uint64_t sequence = last_;
  Digest chain = chain_;
  for (PagePlan& plan : group.pages) {
    format::PageHeader header{};
    header.first_sequence = sequence + 1;
    for (const format::SegmentPlan& segment : plan.segments) sequence += segment.header.event_count;
    header.last_sequence = sequence;
    header.schema = facts_.schema;
    header.epoch = facts_.epoch;
    header.store = facts_.store;
    const std::vector<std::byte> page = format::build_page(header, plan.segments, chain);
    group.writes.put(Family::log, format::log_key(sequence), text_of(page));
    for (auto& [number, entry] : plan.touched) {
      entry.page_last_sequence = sequence;
      group.writes.put(Family::streams, entry.key(), entry.value());
    }
  }
  PIEVT_TRY(rocks_->write(std::move(group.writes), group.durability));
  chain_ = chain;
  return {};
}

}  // namespace pievt
