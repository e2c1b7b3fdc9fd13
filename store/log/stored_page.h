// Pages as they lie in RocksDB: found, copied to aligned memory, checked.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "pievt/log.h"
#include "store/format/page.h"
#include "store/log/rocks.h"

namespace pievt {

/// A page with the memory it lives in. RocksDB returns values at any address, and structs are read
/// in place, so the bytes are copied once.
class StoredPage {
 public:
  /// Takes the bytes over and checks them. `store` is the short store id every page must bear; 0:
  /// not checked.
  Status load(std::string_view value, std::uint64_t store);

  const format::PageView& view() const { return view_; }
  std::uint64_t first() const { return view_.header->first_sequence; }
  std::uint64_t last() const { return view_.header->last_sequence; }
  std::span<const std::byte> bytes() const { return bytes_; }

  /// The chain's value after it. After lost events nobody knows it, and it begins anew: all zero.
  Digest chain() const {
    return view_.segments.empty() ? Digest{} : view_.segments.back().header->chain;
  }

 private:
  std::vector<std::byte> bytes_;
  format::PageView view_{};
};

/// The page that holds `sequence`; not_found where the log ends before it.
Result<StoredPage> load_page(const Rocks& rocks, Sequence sequence, std::uint64_t store = 0);

/// The last page, or nothing where the log is empty.
Result<std::optional<StoredPage>> load_last_page(const Rocks& rocks, std::uint64_t store = 0);

/// Where the append `id`, whose events are `first` to `last`, put its events.
Result<Appended> positions_of(const Rocks& rocks, const AppendId& id, Sequence first,
                              Sequence last);

}  // namespace pievt
