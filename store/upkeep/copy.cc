#include "store/upkeep/copy.h"

#include <chrono>
#include <unordered_map>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "pievt/limits.h"
#include "pievt/shell_word.h"
#include "store/format/keys.h"
#include "store/log/stream_table.h"

namespace pievt {
namespace {

// The pages of a log that is being read, in order, up to a head. A hole means at first only that
// the view is old.
class PageSource {
 public:
  PageSource(Log::Impl& log, std::uint64_t after, std::uint64_t head)
      : log_(&log), next_(after + 1), head_(head) {}

  /// The next page, or nothing at the end.
  Result<const StoredPage*> next() {
    if (next_ > head_) return nullptr;
    for (int round = 0; round < 2; ++round) {
      if (!cursor_) {
        cursor_.emplace(log_->rocks().cursor(Family::log, Rocks::Fill::scan));
        cursor_->seek(format::log_key(next_));
      } else {
        cursor_->next();
      }
      PIEVT_TRY(cursor_->status());
      if (cursor_->valid()) {
        PIEVT_TRY(page_.load(cursor_->value(), log_->place.identity.short_id()));
        if (page_.first() == next_) {
          next_ = page_.last() + 1;
          return &page_;
        }
      }
      cursor_.reset();
      PIEVT_TRY(log_->heal(log_->rocks(), {next_}));
    }
    return Error{Errc::corrupt, fmt::format("the page of @{} is missing from {}; run: {}", next_,
                                            log_->place.directory.string(),
                                            store_command("verify --all", log_->place.directory))};
  }

 private:
  Log::Impl* log_;
  std::uint64_t next_, head_;
  std::optional<Rocks::Cursor> cursor_;
  StoredPage page_;
};

// A copy can only be gone on with where it ends as its source went on from there.
Status check_common_history(const Log& from, const StoredPage& last) {
  const Sequence head = from.head();
  if (head.value < last.last()) {
    return Error{Errc::conflict,
                 fmt::format("the copy goes to @{} and {} only to @{}: events that had been copied "
                             "are no longer there; keep the copy, and run: {}",
                             last.last(), from.info().directory.string(), head.value,
                             store_command("verify --all", from.info().directory))};
  }
  const StoredPage same = PIEVT_TRY(
      load_page(from.impl().rocks(), {last.last()}, from.impl().place.identity.short_id()));
  if (std::ranges::equal(same.bytes(), last.bytes())) return {};
  return Error{Errc::conflict,
               fmt::format("page of @{} of the copy is not that of {}: two histories of one store; "
                           "make a copy elsewhere",
                           last.last(), from.info().directory.string())};
}

// The key that texts are compared with; nothing where there is none. Where the source has lost it,
// an earlier copy may have it. Without any, texts are copied as they lie there: they are all there
// is, and another backup may have the key.
Result<std::optional<BlobKey>> copy_key(const Log& from, CopyTarget& to, const Rocks* have,
                                        CopyReport& report) {
  std::optional<BlobKey> there;
  if (have != nullptr) there = PIEVT_TRY(load_blob_key(*have));
  if (const Status& lacking = from.impl().blobs().key_state(); !lacking.ok()) {
    ++report.bodies_damaged;
    report.problems.push_back(
        {{},
         Severity::damaged,
         fmt::format("{}; {}", lacking.error().what,
                     there ? "the copy has it, and texts are compared with that"
                           : "texts are copied and not compared")});
    return there;
  }
  const auto key = PIEVT_TRY(load_blob_key(from.impl().rocks()));
  if (!key || key == there) return key;
  if (there) return Error{Errc::conflict, "the copy has another key for its texts"};
  PIEVT_TRY(to.put(Family::meta, "blob-key", text_of(*key)));
  return key;
}

// Beside a living writer what is not there may only not be seen yet; the writer itself sees
// everything. One span of patience serves the whole copy: what is missing for good would cost it
// again and again.
std::function<bool()> look_again(const Log& from) {
  const auto patience = std::make_shared<std::chrono::steady_clock::duration>(limits::catch_up_max);
  return [&from, patience] {
    if (from.impl().writer() != nullptr || !from.info().writer_alive || patience->count() <= 0)
      return false;
    const auto begun = std::chrono::steady_clock::now();
    const bool looked = from.impl().refresh().ok();
    *patience -= std::chrono::steady_clock::now() - begun;
    return looked;
  };
}

}  // namespace

PageTrail::PageTrail(const StoredPage& last) : last_(last.last()), chain_(last.chain()) {
  if (last.view().is_lost()) chain_.reset();
}

Status PageTrail::follow(const StoredPage& page) {
  if (page.first() != last_ + 1) {
    return Error{Errc::corrupt, fmt::format("page of @{} begins with @{}, not with @{}",
                                            page.last(), page.first(), last_ + 1)};
  }
  last_ = page.last();
  if (page.view().is_lost()) {
    chain_.reset();
    return {};
  }
  if (chain_) return page.view().check_chain(*chain_);
  // Behind lost events the chain is taken up with what the first commit says it is.
  format::PageView rest = page.view();
  chain_ = rest.segments.front().header->chain;
  rest.segments.erase(rest.segments.begin());
  return rest.check_chain(*chain_);
}

std::string PageTrail::chain() const {
  return chain_ ? hex(*chain_) : std::string();
}

Status copy_lost(const std::set<std::uint64_t>& lost_pages, const EntriesOf& entries,
                 CopyTarget& to) {
  if (lost_pages.empty()) return {};
  PIEVT_TRY(to.flush());
  Status status;
  const auto put = [&](Family family, std::string_view key, std::string_view value) {
    if (status.ok() && !to.has(family, key)) status = to.put(family, key, value);
  };
  entries(Family::index, put);
  entries(Family::streams, [&](Family family, std::string_view key, std::string_view value) {
    const auto entry = format::StreamIndexEntry::parse(key, value);
    if (entry && lost_pages.contains(entry->page_last_sequence)) put(family, key, value);
  });
  return status;
}

Result<CopyReport> copy_log(const Log& from, const Rocks* have, CopyTarget& to,
                            const UpkeepProgress& progress) {
  CopyReport report;
  Log::Impl& source = from.impl();
  const std::uint64_t head = from.head().value;
  PageTrail trail;
  if (have != nullptr) {
    if (const auto last = PIEVT_TRY(load_last_page(*have, source.place.identity.short_id()))) {
      PIEVT_TRY(check_common_history(from, *last));
      trail = PageTrail(*last);
    }
  }
  report.before = {trail.last()};
  const auto texts_key = PIEVT_TRY(copy_key(from, to, have, report));

  BodyCopier bodies(
      [&source](Family family, std::string_view key) { return source.rocks().get(family, key); },
      to, report);
  if (texts_key) bodies.check_with(*texts_key);
  bodies.retry_with(look_again(from));
  std::unordered_map<std::uint32_t, std::string> names;
  bodies.names_with([&](std::uint32_t number) {
    const auto [entry, is_new] = names.try_emplace(number);
    if (is_new) {
      if (auto name = name_of_stream(source.rocks(), number); name.ok()) entry->second = *name;
    }
    return entry->second;
  });

  PageSource pages(source, trail.last(), head);
  std::vector<EventView> events;
  std::set<std::uint64_t> lost;
  while (const StoredPage* page = PIEVT_TRY(pages.next())) {
    PIEVT_TRY(trail.follow(*page));
    events.clear();
    PIEVT_TRY(format::collect_events(page->view(), std::nullopt, events));
    PIEVT_TRY(bodies.page(*page, events));
    PIEVT_TRY(to.page(*page, events));
    if (page->view().is_lost()) lost.insert(page->last());
    ++report.pages;
    report.events += events.size();
    report.page_bytes += page->bytes().size();
    if (progress) progress(report.events, head - report.before.value);
  }
  const auto entries = [&source](Family family, const EntrySink& sink) {
    auto cursor = source.rocks().cursor(family, Rocks::Fill::scan);
    for (cursor.seek(""); cursor.valid(); cursor.next()) sink(family, cursor.key(), cursor.value());
  };
  PIEVT_TRY(copy_lost(lost, entries, to));
  bodies.finish();
  PIEVT_TRY(to.finish());
  report.head = {trail.last()};
  report.chain = trail.chain();
  return report;
}

}  // namespace pievt
