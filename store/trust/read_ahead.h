// The reading that verifying waits for, done before it is asked for: pages come in windows, and
// while one window is checked, another thread reads the next one and the bodies that it refers to,
// all of them in the order they lie in.
//
// Nothing is judged here. A body that was read and is what its digest says is noted as whole; every
// other one is left for the checks, which read it themselves and say what is wrong with it, in the
// order of the events. Where a block of the log cannot be read, its pages are passed over, and what
// lies behind it is read all the same: of a large log one bad sector says little.
#pragma once

#include <cstdint>
#include <future>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/format/digest_set.h"
#include "store/format/reflect_blobs.h"
#include "store/log/log_impl.h"
#include "store/log/stored_page.h"

namespace pievt {

/// Tells bodies apart while a store is verified: from the digest and the size, since two sizes of
/// one digest cannot both be right.
std::uint64_t mark_of(const schema::BlobRef& ref);

/// A page as it was found under `key`.
struct ReadPage {
  std::uint64_t key = 0;
  /// Why it cannot be read; then there are no events. Pages in a row whose blocks cannot be read
  /// stand here as one, with the key of the last.
  Status status;
  StoredPage page;
  std::vector<EventView> events;
};

class ReadAhead {
 public:
  /// Up to `head`. `stream`: only the bodies of this one; 0: of all.
  ReadAhead(const Log::Impl& log, std::uint64_t head, std::uint32_t stream);
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// The next pages, in order, good until the next call; none at the end.
  std::span<const ReadPage> next();
  /// The marks of their bodies that are whole, as far as they were read here; sorted.
  const std::vector<std::uint64_t>& whole() const { return checked_.whole; }
  /// Why there are no more; when there are no more.
  Status status() const { return last_ < head_ ? cursor_.status() : Status(); }

 private:
  struct Window {
    std::vector<ReadPage> pages;  ///< the first `count`; the others keep their memory
    std::size_t count = 0;
    std::vector<schema::BlobRef> refs;
    std::vector<std::uint64_t> whole;
  };
  void read_on();
  void fill(Window& window);
  ReadPage& add(Window& window, std::uint64_t key);
  void take(ReadPage& read, std::string_view value) const;
  void keep(const ReadPage& read, Window& window);
  bool look_into_hole(std::uint64_t last);
  std::size_t read_from_hole(Window& window);
  void ask_for_bodies(const ReadPage& page, Window& window);
  void read_bodies(Window& window) const;

  const Log::Impl& log_;
  std::uint64_t head_;
  std::uint32_t stream_;
  reflect::BlobFinder finder_;
  Rocks::Cursor cursor_;
  DigestSet asked_;                  ///< for; a body is read once
  std::uint64_t last_ = 0;           ///< of the pages that were read
  std::vector<std::uint64_t> hole_;  ///< keys of pages the cursor did not give; the first is last
  std::uint64_t looked_ = 0;         ///< holes up to here were looked into
  std::uint64_t unreadable_from_ = 0;
  Window checked_, coming_;
  std::future<void> reading_;  // last: what it works on outlives it
};

}  // namespace pievt
