#include "store/upkeep/remains.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "pievt/limits.h"
#include "store/format/keys.h"
#include "store/log/checked_manifest.h"
#include "store/log/commit.h"
#include "store/log/stored_page.h"
#include "store/upkeep/ruins.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;

// Files of the database's kind `extension`, oldest first: a later one has the later value.
std::vector<fs::path> files_of(const fs::path& directory, std::string_view extension) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(directory, failed)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

// What was in it then lies in a file that came meanwhile.
bool is_gone(const fs::path& file) {
  std::error_code failed;
  return fs::symlink_status(file, failed).type() == fs::file_type::not_found;
}

}  // namespace

Result<Remains> Remains::gather(const fs::path& store, Rocks& found) {
  Remains remains(found);
  if (auto head = read_head(store); head.ok()) remains.head_ = *head;
  if (auto identity = read_identity(store); identity.ok()) {
    remains.identity_ = *identity;
    remains.short_id_ = identity->short_id();
  } else if (identity.error().code == Errc::too_new) {
    return identity.error();
  } else {
    remains.note(identity.error().what);
  }
  remains.open_database(store);
  if (remains.database_) PIEVT_TRY(remains.copy_pages_of_database());
  remains.find_highest();
  // A key that is damaged in one file may be whole in another, which is of use to nobody else.
  if (!remains.complete_ || !remains.pages_are_complete() ||
      !remains.get(Family::meta, "blob-key")) {
    PIEVT_TRY(remains.read_files(log_directory(store)));
    remains.find_highest();
  }
  PIEVT_TRY(remains.identify(store));
  return remains;
}

void Remains::note(std::string what) {
  if (std::ranges::find(notes_, what) == notes_.end()) notes_.push_back(std::move(what));
}

void Remains::open_database(const fs::path& store) {
  // With a damaged MANIFEST it would open, and be an older one without a word.
  if (const Status whole = check_manifest(log_directory(store)); !whole.ok()) {
    complete_ = false;
    return note(whole.error().what);
  }
  auto opened = Rocks::open_reader(log_directory(store));
  if (opened.ok()) {
    database_.emplace(std::move(*opened));
    return;
  }
  complete_ = false;
  note(opened.error().what);
}

Status Remains::copy_pages_of_database() {
  auto cursor = database_->cursor(Family::log, Rocks::Fill::scan);
  for (cursor.seek(""); cursor.valid(); cursor.next()) PIEVT_TRY(keep_page(cursor.value()));
  const Status end = cursor.status();
  if (end.ok()) return {};
  complete_ = false;
  note(end.error().what);
  return {};
}

// A page goes where it says it belongs. Of two that end alike the later writer's counts.
Status Remains::keep_page(std::string_view bytes) {
  StoredPage page;
  if (!page.load(bytes, short_id_).ok()) {
    complete_ = false;
    return {};
  }
  const std::string key = format::log_key(page.last());
  if (const auto there = PIEVT_TRY(found_->get(Family::log, key))) {
    StoredPage older;
    PIEVT_TRY(older.load(*there, 0));
    if (*there == bytes || older.view().header->epoch >= page.view().header->epoch) return {};
  }
  pages_[page.last()] = page.first();
  highest_ = std::max(highest_, page.last());
  return keep(Family::log, key, bytes);
}

Status Remains::keep(Family family, std::string_view key, std::string_view value) {
  WriteSet set(*found_);
  set.put(family, key, value);
  return found_->write(std::move(set), Durability::memory);
}

bool Remains::pages_are_complete() const {
  std::uint64_t next = 1;
  for (const auto& [last, first] : pages_) {
    if (first != next) return false;
    next = last + 1;
  }
  return next == highest_ + 1;
}

// A living writer empties a write-ahead log into tables, and tables into others, and then removes
// it: so what has come meanwhile is read too, until there is nothing new.
Status Remains::read_files(const fs::path& directory) {
  std::set<fs::path> read;
  for (bool more = true; more;) {
    more = false;
    for (const fs::path& file : files_of(directory, ".sst")) {
      if (!read.insert(file).second) continue;
      PIEVT_TRY(read_one_table(file));
      more = true;
    }
    for (const fs::path& file : files_of(directory, ".log")) {
      if (!read.insert(file).second) continue;
      PIEVT_TRY(read_one_log(file));
      more = true;
    }
  }
  return {};
}

Status Remains::read_one_table(const fs::path& file) {
  Status kept;
  const auto keep_first_error = [&](Status status) {
    if (kept.ok()) kept = std::move(status);
  };
  const Status read =
      read_table(file, [&](Family family, std::string_view key, std::string_view value) {
        keep_first_error(family == Family::log ? keep_page(value) : keep(family, key, value));
      });
  PIEVT_TRY(std::move(kept));
  if (read.ok() || is_gone(file)) return {};
  note(read.error().what);
  kept = Status();
  const Status searched =
      find_pages_in_table(file, [&](std::string_view page) { keep_first_error(keep_page(page)); });
  if (!searched.ok()) note(searched.error().what);
  return kept;
}

Status Remains::read_one_log(const fs::path& file) {
  Status kept;
  const auto keep_first_error = [&](Status status) {
    if (kept.ok()) kept = std::move(status);
  };
  const auto damage = read_log_file(
      file, {[&](std::string_view record) {
               const Status read = read_log_record(
                   record, [&](Family family, std::string_view key, std::string_view value) {
                     keep_first_error(family == Family::log ? keep_page(value)
                                                            : keep(family, key, value));
                   });
               if (!read.ok())
                 note(fmt::format("{}: {}", file.filename().string(), read.error().what));
             },
             [&](std::string_view parts) {
               find_pages(std::as_bytes(std::span(parts)),
                          [&](std::string_view page) { keep_first_error(keep_page(page)); });
             }});
  PIEVT_TRY(std::move(kept));
  if (!damage.ok()) {
    if (!is_gone(file)) note(damage.error().what);
  } else if (damage->bytes_skipped > 0) {
    note(fmt::format("{}: {} bytes from {} on could not be read", file.filename().string(),
                     damage->bytes_skipped, damage->first_at));
  }
  return {};
}

// STORE names the store. Without it HEAD does, and the first event.
Status Remains::identify(const fs::path& store) {
  if (!identity_.id.empty()) return {};
  if (head_) {
    identity_.id = to_string(AppendId{head_->store_id});
    short_id_ = identity_.short_id();
    return {};
  }
  const auto first = load_page(*found_, {1}, 0);
  std::vector<EventView> events;
  if (first.ok() && format::collect_events(first->view(), std::nullopt, events).ok()) {
    for (const EventView& event : events) {
      const auto* created = event.envelope->payload_as_StoreCreated();
      if (created != nullptr) identity_.id = created->store_id()->str();
    }
  }
  if (parse_append_id(identity_.id).ok()) return {};
  return Error{
      Errc::corrupt,
      fmt::format("{}: STORE, HEAD and the first event are all lost, so nothing says which "
                  "store this was",
                  store.string())};
}

// HEAD says how far the log went, and behind its last page the ids of appends do: every event
// belongs to one, so they follow each other without a gap, which a damaged one would not.
void Remains::find_highest() {
  const bool ours = head_ && (identity_.id.empty() || head_->store_id == identity_.bytes());
  if (ours) highest_ = std::max(highest_, head_->committed);
  std::map<std::uint64_t, std::uint64_t> beyond;
  each(Family::ids, [&](Family, std::string_view, std::string_view value) {
    const auto entry = IdEntry::parse(value);
    if (entry && entry->last > highest_) beyond[entry->first] = entry->last;
  });
  for (const auto& [first, last] : beyond) {
    if (first <= highest_ + 1 && last > highest_ && last - first < limits::append_events_max)
      highest_ = last;
  }
}

std::optional<std::string> Remains::get(Family family, std::string_view key) const {
  auto stored = find(family, key);
  return stored.ok() ? std::move(*stored) : std::nullopt;
}

Result<std::optional<std::string>> Remains::find(Family family, std::string_view key) const {
  std::optional<Error> damage;
  if (database_) {
    auto stored = database_->get(family, key);
    if (stored.ok() && *stored) return stored;
    // Also where the disk refuses: for whoever saves what is left that is damage like any other.
    if (!stored.ok()) damage = Error{Errc::corrupt, stored.error().what};
  }
  auto stored = found_->get(family, key);
  if (damage && stored.ok() && !*stored) return *damage;
  return stored;
}

void Remains::each(Family family, const EntrySink& sink) const {
  std::set<std::string> given;
  auto found = found_->cursor(family, Rocks::Fill::scan);
  for (found.seek(""); found.valid(); found.next()) {
    sink(family, found.key(), found.value());
    if (database_) given.emplace(found.key());
  }
  if (!database_) return;
  auto stored = database_->cursor(family, Rocks::Fill::scan);
  for (stored.seek(""); stored.valid(); stored.next()) {
    if (!given.contains(std::string(stored.key()))) sink(family, stored.key(), stored.value());
  }
}

}  // namespace pievt
