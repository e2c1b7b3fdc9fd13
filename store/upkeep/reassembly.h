// A log put together again from what is left of one.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "pievt/upkeep.h"
#include "store/upkeep/copy.h"
#include "store/upkeep/remains.h"

namespace pievt {

class Reassembly {
 public:
  /// `found`: the pages that `remains` has gathered. `to`: an empty log of our own.
  Reassembly(const Remains& remains, const Rocks& found, Rocks& to);
  Reassembly(const Reassembly&) = delete;
  Reassembly& operator=(const Reassembly&) = delete;

  /// Writes the log: pages in their order, pages of lost events where there are none, everything
  /// that follows from them, and what events refer to.
  Status run(const UpkeepProgress& progress);

  const CopyReport& copy() const { return copy_; }
  std::uint64_t unrepeatable() const { return target_.unrepeatable(); }

  /// Events that this run could not find; not those that had been lost before.
  const std::vector<LostEvents>& lost() const { return lost_; }
  std::vector<LostRevisions> lost_revisions() const;

  /// Pages that are intact and do not fit the others, a sentence each.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Gap {
    std::uint32_t stream;
    std::uint64_t first, last;
  };

  Status copy_key();
  Status one(std::string_view value);
  bool fits(const StoredPage& page);
  Status lose(std::uint64_t first, std::uint64_t last, const format::PageHeader& like);
  Status end(std::uint64_t highest);
  Status keep_names();
  std::string name_of(std::uint32_t stream) const;

  const Remains* remains_;
  const Rocks* found_;
  CopyReport copy_;
  CopyTarget target_;
  BodyCopier bodies_;
  PageTrail trail_;
  bool trail_warned_ = false;
  std::uint64_t last_ = 0;
  std::uint32_t last_actor_ = 0;
  format::PageHeader last_header_{};
  std::set<std::uint64_t> lost_pages_;
  std::vector<LostEvents> lost_;
  std::vector<Gap> gaps_;
  std::map<std::uint32_t, std::uint64_t> revisions_;
  std::map<std::uint32_t, std::string> names_;
  std::vector<EventView> events_;
  std::vector<std::string> notes_;
};

}  // namespace pievt
