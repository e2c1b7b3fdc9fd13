// The index of streams, made in memory from the pages. For a reader whose store has lost its own: a
// reader writes nothing, so it cannot mend the store, and an index that is empty or leads nowhere
// would have it answer "there is no such stream" where there is one.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "pievt/result.h"
#include "store/log/derive.h"
#include "store/log/rocks.h"

namespace pievt {

class PageIndex {
 public:
  /// `trouble`: why there has to be one, for people.
  static Result<std::unique_ptr<PageIndex>> make(std::string trouble);

  /// Takes the pages of `log` that came since, as far as they go on without a hole. Any thread.
  void take(const Rocks& log, std::uint64_t store);

  /// What has the families `streams` and `index` of what was taken. corrupt: a page is damaged too,
  /// so nothing can be said. Any thread.
  Result<const Rocks*> rocks();

 private:
  PageIndex(Rocks rocks, std::string trouble);
  Status go_on(const Rocks& log, std::uint64_t store);

  Rocks rocks_;
  const std::string trouble_;
  std::mutex mutex_;
  Derivation derivation_;
  std::uint64_t last_ = 0;
  Status whole_;
};

}  // namespace pievt
