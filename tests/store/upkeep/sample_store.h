// A small store with several runs, and ways to damage it. What a test asserts about what was saved
// and what was lost, it knows from the pages themselves.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "pievt/upkeep.h"
#include "store/log/rocks.h"
#include "store/log/store_files.h"
#include "tests/store/log/temp_store.h"

namespace pievt {

/// Every key and value of a family.
std::map<std::string, std::string> contents(const Rocks& rocks, Family family);
std::map<std::string, std::string> contents(const std::filesystem::path& store, Family family);

/// First and last sequence of every page, by the page's last.
struct PageRange {
  std::uint64_t first, last;
  friend bool operator==(const PageRange&, const PageRange&) = default;
};
std::vector<PageRange> pages_of(const std::filesystem::path& store);

/// The store's id and everything its log says, for "is it the same".
VerifyReport verified(const std::filesystem::path& store);

/// Another byte at that place of a file.
void flip(const std::filesystem::path& file, std::size_t at);

class SampleStoreTest : public StoreTest {
 protected:
  std::filesystem::path copy() const { return directory() / "copy"; }

  /// Runs r1, r2 and r3 with plans (a small and a chunked text), captured output and saved views; a
  /// stream that was only checked and never written; appends of several pages.
  void make_runs();
  /// One more run, on the open log.
  void add_run(const std::string& run);

  /// All that store() has, by family, but saved states.
  std::map<Family, std::map<std::string, std::string>> everything() const;

  /// Changes stored values as somebody with an editor for RocksDB would.
  void tamper(const std::function<void(Rocks&, WriteSet&)>& change) const;

  /// The files of the log with that extension that are not empty, oldest first.
  std::vector<std::filesystem::path> files(std::string_view extension) const;

  /// The table files of one family, oldest first.
  std::vector<std::filesystem::path> tables(Family wanted) const;

  /// Removes the write-ahead logs: after a clean close everything is in tables too.
  void burn_logs() const;

  /// Copies store() with all its files, but LOCK, to `to`.
  void copy_files(const std::filesystem::path& to) const;
};

}  // namespace pievt
