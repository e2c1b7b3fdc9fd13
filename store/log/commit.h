// One group of appends becomes one atomic, gapless, chained write. Pure bookkeeping over Rocks: who
// waits for whom is append.cc's business. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "pievt/log.h"
#include "store/format/codec.h"
#include "store/format/page.h"
#include "store/log/id_window.h"
#include "store/log/rocks.h"
#include "store/log/stream_table.h"

namespace pievt {

/// One append of a group, and what became of it.
struct GroupMember {
  const EncodedAppend::Impl* append = nullptr;
  std::uint32_t actor = 0;
  Result<Appended> result = Appended{};
};

/// What every page of one writer has in common.
struct WriterFacts {
  std::uint64_t schema = 0;
  std::uint64_t epoch = 0;
  std::uint64_t store = 0;
};

/// Where a log ends; what the next commit goes on from.
struct LogEnd {
  std::uint64_t last = 0;  ///< sequence of the last event
  Digest chain{};          ///< after the last page
  std::uint32_t last_stream = 0;
  AppendId highest_id;
};

class Committer {
 public:
  Committer(Rocks& rocks, WriterFacts facts, const LogEnd& end);

  /// Decides every member and writes what was admitted, as durable as the strongest of them asks;
  /// that goes for what is there already and is only asked for again, too. Members that were
  /// refused have an error; when the write itself fails, all have.
  void commit(std::span<GroupMember* const> group);

  std::uint64_t last() const { return last_; }

  /// Up to where the log is in the kernel's hands at least, so that it survives this process.
  std::uint64_t handed() const { return handed_; }
  StreamTable& streams() { return streams_; }

 private:
  struct Group;
  Result<std::optional<Appended>> find_earlier(Group& group, const EncodedAppend::Impl& append);
  Result<Appended> admit(Group& group, const EncodedAppend::Impl& append, std::uint32_t actor);
  Status declare_streams(Group& group, const EncodedAppend::Impl& append, std::uint32_t actor,
                         const std::vector<StreamHead*>& heads);
  Appended place(Group& group, const EncodedAppend::Impl& append, std::uint32_t actor,
                 const std::vector<StreamHead*>& heads);
  static void place_segment(Group& group, const EncodedAppend::Impl& append,
                            const EncodedAppend::Impl::Segment& segment, std::uint16_t number,
                            std::uint32_t actor, const std::vector<StreamHead*>& heads);
  Status write(Group& group);
  bool is_as_durable(const GroupMember& member) const;

  Rocks* rocks_;
  WriterFacts facts_;
  std::uint64_t last_;
  std::uint64_t handed_, synced_;  ///< how far `wal` and `fsync` reach
  Digest chain_;
  StreamTable streams_;
  IdWindow used_;
};

/// The positions of an append that was written earlier, from its `ids` entry.
struct IdEntry {
  std::uint64_t first, last;
  Digest request_hash;

  std::string value() const;
  static std::optional<IdEntry> parse(std::string_view value);
};

/// The highest of all append ids in the index; zeros where there is none.
Result<AppendId> highest_append_id(const Rocks& rocks);

}  // namespace pievt
