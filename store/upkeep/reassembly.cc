#include "store/upkeep/reassembly.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "store/format/keys.h"
#include "store/log/schema_registry.h"

namespace pievt {
namespace {

// What a lost page may say of itself when there is no page to go by.
format::PageHeader first_header(const Remains& remains) {
  format::PageHeader header{};
  header.store = remains.identity().short_id();
  header.schema = embedded_schema().short_hash;
  header.epoch = 1;
  return header;
}

std::string numbered(char letter, std::uint32_t number) {
  std::string key(1, letter);
  format::put_u32(key, number);
  return key;
}

}  // namespace

Reassembly::Reassembly(const Remains& remains, const Rocks& found, Rocks& to)
    : remains_(&remains),
      found_(&found),
      target_(&to, Preview::no,
              {[&remains](std::string_view key) { return remains.get(Family::ids, key); },
               [this](std::uint32_t stream) { return std::optional(name_of(stream)); }}),
      bodies_([&remains](Family family, std::string_view key) { return remains.find(family, key); },
              target_, copy_),
      last_header_(first_header(remains)) {
  bodies_.names_with([this](std::uint32_t stream) { return name_of(stream); });
}

Status Reassembly::copy_key() {
  const auto key = remains_->get(Family::meta, "blob-key");
  if (!key || key->size() != sizeof(BlobKey)) {
    notes_.emplace_back(
        "the store's blob key is lost: its texts are there, but nothing can be "
        "compared with their digests");
    return {};
  }
  BlobKey bytes;
  std::memcpy(bytes.data(), key->data(), bytes.size());
  bodies_.check_with(bytes);
  return target_.put(Family::meta, "blob-key", *key);
}

Status Reassembly::run(const UpkeepProgress& progress) {
  PIEVT_TRY(copy_key());
  auto cursor = found_->cursor(Family::log, Rocks::Fill::scan);
  for (cursor.seek(""); cursor.valid(); cursor.next()) {
    PIEVT_TRY(one(cursor.value()));
    if (progress) progress(last_, remains_->highest());
  }
  PIEVT_TRY(cursor.status());
  return end(remains_->highest());
}

Status Reassembly::one(std::string_view value) {
  StoredPage page;
  PIEVT_TRY(page.load(value, 0));
  events_.clear();
  const Status bodies = format::collect_events(page.view(), std::nullopt, events_);
  const bool ours = page.view().header->store == remains_->identity().short_id();
  if (!bodies.ok() || !ours || page.first() <= last_ || !fits(page)) {
    notes_.push_back(fmt::format("the page of @{} to @{} is intact, and does not fit the others",
                                 page.first(), page.last()));
    return {};
  }
  if (page.first() > last_ + 1) PIEVT_TRY(lose(last_ + 1, page.first() - 1, *page.view().header));
  if (const Status chained = trail_.follow(page); !chained.ok() && !trail_warned_) {
    // Saved as it is: what it says may be wrong, but it is what is left. Verifying will say so.
    notes_.push_back(chained.error().what);
    trail_warned_ = true;
  }
  for (const format::SegmentView& segment : page.view().segments) {
    for (const schema::Stamp& stamp : segment.stamps) {
      revisions_[stamp.stream()] = stamp.revision();
      last_actor_ = std::max(last_actor_, stamp.actor());
    }
  }
  for (const EventView& event : events_) {
    const auto* declared = event.envelope->payload_as_StreamDeclared();
    if (declared != nullptr && event.stamp->stream() == 1)
      names_[declared->number()] = declared->name()->str();
  }
  if (page.view().is_lost()) lost_pages_.insert(page.last());
  PIEVT_TRY(bodies_.page(page, events_));
  PIEVT_TRY(target_.page(page, events_));
  last_ = page.last();
  last_header_ = *page.view().header;
  ++copy_.pages;
  copy_.events += events_.size();
  copy_.page_bytes += page.bytes().size();
  return {};
}

// Whether the page's revisions go on from those before it; behind lost events they may jump.
bool Reassembly::fits(const StoredPage& page) {
  const bool may_jump = !lost_pages_.empty() || page.first() > last_ + 1;
  std::map<std::uint32_t, std::uint64_t> here;
  std::vector<Gap> gaps;
  for (const format::SegmentView& segment : page.view().segments) {
    for (const schema::Stamp& stamp : segment.stamps) {
      const auto [at, is_first] = here.try_emplace(stamp.stream(), 0);
      if (is_first) {
        const auto known = revisions_.find(stamp.stream());
        const std::uint64_t before = known == revisions_.end() ? 0 : known->second;
        if (stamp.revision() <= before || (stamp.revision() != before + 1 && !may_jump))
          return false;
        if (stamp.revision() != before + 1)
          gaps.push_back({stamp.stream(), before + 1, stamp.revision() - 1});
      } else if (stamp.revision() != at->second + 1) {
        return false;
      }
      at->second = stamp.revision();
    }
  }
  // Those that an earlier salvage has told of are not told of again.
  if (!lost_.empty() || page.first() > last_ + 1)
    gaps_.insert(gaps_.end(), gaps.begin(), gaps.end());
  return true;
}

Status Reassembly::lose(std::uint64_t first, std::uint64_t last, const format::PageHeader& like) {
  format::PageHeader header{};
  header.first_sequence = first;
  header.last_sequence = last;
  header.schema = like.schema;
  header.epoch = like.epoch;
  header.store = remains_->identity().short_id();
  const std::vector<std::byte> bytes = format::build_lost_page(header);
  StoredPage page;
  PIEVT_TRY(page.load(text_of(bytes), 0));
  PIEVT_TRY(trail_.follow(page));
  PIEVT_TRY(target_.page(page, {}));
  lost_.push_back({{first}, {last}});
  lost_pages_.insert(last);
  last_ = last;
  last_header_ = header;
  return {};
}

// What is lost behind the last page, as far as anything tells of it. Revisions that were given out
// there are entered as lost, so that they are not given out again.
Status Reassembly::end(std::uint64_t highest) {
  if (highest > last_) PIEVT_TRY(lose(last_ + 1, highest, last_header_));
  std::map<std::uint32_t, std::uint64_t> beyond;
  remains_->each(Family::streams, [&](Family, std::string_view key, std::string_view value) {
    const auto entry = format::StreamIndexEntry::parse(key, value);
    if (!entry || entry->last_revision <= revisions_[entry->stream]) return;
    const std::uint64_t at = entry->page_last_sequence;
    const auto gap = lost_pages_.lower_bound(at);
    const bool lost_now = std::ranges::any_of(lost_, [at](const LostEvents& range) {
      return range.first.value <= at && at <= range.last.value;
    });
    if (gap != lost_pages_.end() && (lost_now || *gap == at))
      beyond[entry->stream] = std::max(beyond[entry->stream], entry->last_revision);
  });
  for (const auto& [stream, last] : beyond) {
    const std::uint64_t before = revisions_[stream];
    const format::StreamIndexEntry entry{stream, last, before + 1, *lost_pages_.rbegin()};
    PIEVT_TRY(target_.put(Family::streams, entry.key(), entry.value()));
    if (!lost_.empty()) gaps_.push_back({stream, before + 1, last});
    const std::string name = name_of(stream);
    std::string number;
    format::put_u32(number, stream);
    PIEVT_TRY(target_.put(Family::index, numbered('n', stream), name));
    PIEVT_TRY(target_.put(Family::index, "s" + name, number));
  }
  PIEVT_TRY(keep_names());
  bodies_.finish();
  PIEVT_TRY(target_.finish());
  copy_.head = {last_};
  copy_.chain = trail_.chain();
  return {};
}

// Names and numbers whose declaration is lost must not be given to others.
Status Reassembly::keep_names() {
  if (lost_pages_.empty()) return {};
  PIEVT_TRY(target_.flush());
  Status status;
  remains_->each(Family::index, [&](Family, std::string_view key, std::string_view value) {
    if (status.ok() && !target_.has(Family::index, key))
      status = target_.put(Family::index, key, value);
  });
  PIEVT_TRY(std::move(status));
  const std::string last = numbered('a', last_actor_);
  if (last_actor_ == 0 || target_.has(Family::index, last)) return {};
  return target_.put(Family::index, last, "");
}

std::string Reassembly::name_of(std::uint32_t stream) const {
  if (const auto known = names_.find(stream); known != names_.end()) return known->second;
  if (auto name = remains_->get(Family::index, numbered('n', stream))) return *name;
  return stream == 1 ? "store" : fmt::format("lost/{}", stream);
}

std::vector<LostRevisions> Reassembly::lost_revisions() const {
  std::vector<LostRevisions> all;
  for (const Gap& gap : gaps_) all.push_back({name_of(gap.stream), {gap.first}, {gap.last}});
  std::ranges::sort(all, [](const LostRevisions& a, const LostRevisions& b) {
    return std::tie(a.stream, a.first) < std::tie(b.stream, b.first);
  });
  return all;
}

}  // namespace pievt
