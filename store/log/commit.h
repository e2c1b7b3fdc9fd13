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

class Committer {
 public:
  /// `last` and `chain`: the position and chain value after the last page of the log.
  Committer(Rocks& rocks, WriterFacts facts, std::uint64_t last, const Digest& chain,
            std::uint32_t last_stream);

  /// Decides every member and writes what was admitted, as durable as the strongest of them asks.
  /// An append that is found already there is made as durable as it is asked for now. Members that
  /// were refused have an error; when the write itself fails, all have.
  void commit(std::span<GroupMember* const> group);

  std::uint64_t last() const { return last_; }
  StreamTable& streams() { return streams_; }

 private:
  struct Group;
  Result<std::optional<Appended>> find_earlier(Group& group, const EncodedAppend::Impl& append);
  Result<Appended> admit(Group& group, const EncodedAppend::Impl& append, std::uint32_t actor);
  Status declare_streams(Group& group, const EncodedAppend::Impl& append, std::uint32_t actor);
  Appended place(Group& group, const EncodedAppend::Impl& append, std::uint32_t actor,
                 const std::vector<StreamHead*>& heads);
  Status write(Group& group);
  Status strengthen(Durability durability);
  bool is_secured(std::uint64_t sequence, Durability durability) const;
  void secure(std::uint64_t sequence, Durability durability);

  Rocks* rocks_;
  WriterFacts facts_;
  std::uint64_t last_;
  Digest chain_;
  StreamTable streams_;
  // Up to where everything is known to be in the kernel, and to be on the disk.
  std::uint64_t handed_over_, synced_;
};

/// The positions of an append that was written earlier, from its `ids` entry.
struct IdEntry {
  std::uint64_t first, last;
  Digest request_hash;

  std::string value() const;
  static std::optional<IdEntry> parse(std::string_view value);
};

}  // namespace pievt
