// What is left of a store's log, gathered from everything that can be read: the database as a
// reader sees it, and where that is not all, its tables and write-ahead logs one by one. Nothing of
// the store is written or locked, so a living writer may be at work meanwhile: what is wanted then
// is all that was promised before anything was read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/result.h"
#include "store/log/head.h"
#include "store/log/rocks.h"
#include "store/log/store_files.h"

namespace pievt {

class Remains {
 public:
  /// Gathers into `found`, an empty database of our own, whatever is left of the log of `store`.
  /// An error is one of `found`; damage of the store is what notes() are about.
  static Result<Remains> gather(const std::filesystem::path& store, Rocks& found);

  const StoreIdentity& identity() const { return identity_; }

  /// What is stored under a key of any family but `log`; nothing where it is not left.
  std::optional<std::string> get(Family family, std::string_view key) const;

  /// The same, where it matters why there is nothing. corrupt: it is there and cannot be read.
  Result<std::optional<std::string>> find(Family family, std::string_view key) const;

  /// Every entry of a family but `log` that is left, once each.
  void each(Family family, const EntrySink& sink) const;

  /// The highest sequence that anything left speaks of: HEAD, indexes, pages.
  std::uint64_t highest() const { return highest_; }

  /// What was damaged, a sentence each.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  explicit Remains(Rocks& found) : found_(&found) {}
  void open_database(const std::filesystem::path& store);
  Status copy_pages_of_database();
  bool pages_are_complete() const;
  Status read_files(const std::filesystem::path& directory);
  Status read_one_table(const std::filesystem::path& file);
  Status read_one_log(const std::filesystem::path& file);
  Status identify(const std::filesystem::path& store);
  void find_highest();
  Status keep_page(std::string_view bytes);
  Status keep(Family family, std::string_view key, std::string_view value);
  void note(std::string what);

  Rocks* found_;
  std::optional<Rocks> database_;
  bool complete_ = true;  ///< the database could be read to its end
  StoreIdentity identity_;
  std::optional<HeadValue> head_;                 ///< as it was before anything was read
  std::uint64_t short_id_ = 0;                    ///< of the store; 0: not known yet
  std::map<std::uint64_t, std::uint64_t> pages_;  ///< first sequence by last, of those found
  std::uint64_t highest_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace pievt
