// The log by itself: pages, chain, revisions, and the indexes that were made from them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/format/reflect.h"
#include "store/log/log_impl.h"
#include "store/log/stored_page.h"
#include "store/trust/findings.h"

namespace pievt {

/// Takes the pages in order. After a page that cannot be read it goes on with the next one, and
/// asks nothing of it that only the unreadable one could answer, so that one fault is one finding.
class LogChecks {
 public:
  LogChecks(const Log::Impl& log, Findings& findings) : log_(&log), findings_(&findings) {}

  /// A page that is right by itself and was stored under `key`, with its events.
  void page(const StoredPage& page, std::uint64_t key, std::span<const EventView> events);

  /// The page under `key` cannot be read.
  void unreadable(std::uint64_t key, const Error& why);

  /// A page that stands for lost events, stored under `key`.
  void lost(const StoredPage& page, std::uint64_t key);

  /// After the last page. `head`: how far the log goes.
  void finish(std::uint64_t head);

  /// Whether every page so far was there. Sums over events mean nothing otherwise.
  bool complete() const { return complete_; }
  std::uint64_t last() const { return last_; }
  std::optional<Digest> chain() const { return chain_; }

  /// The schema of the last page, or null where it is not to be had.
  const reflect::Schema* schema() const { return schema_; }
  const std::string& stream_name(std::uint32_t number) const;

 private:
  struct Stream {
    std::string name;
    std::uint64_t revision = 0;
    bool certain = true;  ///< no page is missing since `revision`
  };
  struct Pending {
    AppendId id;
    std::uint64_t first = 0;
    std::uint16_t next_segment = 0;
  };

  std::optional<std::optional<std::string>> stored(Check check, const Place& place, Family family,
                                                   std::string_view key);
  void follow(const StoredPage& page, std::uint64_t key);
  void check_chain(const StoredPage& page);
  void check_segment(const StoredPage& page, const format::SegmentView& segment);
  void check_stamps(const StoredPage& page, const format::SegmentView& segment);
  void check_append(const StoredPage& page, const format::SegmentView& segment);
  void check_index(const StoredPage& page);
  void check_schema(const StoredPage& page);
  void check_event(const StoredPage& page, const EventView& event);
  void check_declared(const StoredPage& page, const EventView& event);
  void count_entries(Family family, std::uint64_t head, std::uint64_t expected, Check check);
  void lose_certainty();

  const Log::Impl* log_;
  Findings* findings_;
  std::uint64_t last_ = 0;
  bool complete_ = true;
  std::optional<Digest> chain_ = Digest{};
  std::unordered_map<std::uint32_t, Stream> streams_;
  std::optional<Pending> pending_;
  std::uint64_t appends_ = 0, index_entries_ = 0;
  std::map<std::uint64_t, std::optional<reflect::Schema>> schemas_;
  const reflect::Schema* schema_ = nullptr;
};

}  // namespace pievt
