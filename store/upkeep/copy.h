// Carries a log from one place to another, page by page, with everything its events refer to.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "pievt/upkeep.h"
#include "store/format/reflect.h"
#include "store/log/derive.h"
#include "store/log/log_impl.h"
#include "store/log/stored_page.h"
#include "store/trust/removals.h"

namespace pievt {

/// Where pages go. The copy has them in order; bodies come before the page that refers to them, and
/// a commit's pages together, so what is there is complete at every moment.
class CopyTarget {
 public:
  /// `rocks`: what the copy has; nullptr: nothing. `preview`: nothing is written.
  CopyTarget(Rocks* rocks, Preview preview, OlderKnowledge older);

  bool has(Family family, std::string_view key) const;
  /// What was copied, as bytes that were compared with `ref`; for targets that are written to.
  Status check_blob(const BlobKey& key, const schema::BlobRef& ref) const;
  bool writes() const { return writes_; }
  Status put(Family family, std::string_view key, std::string_view value);
  Status remove(Family family, std::string_view key);
  /// The page with its derived entries; written when enough has come together.
  Status page(const StoredPage& page, std::span<const EventView> events);
  /// Writes what has come together so far.
  Status flush() { return set_ ? write() : Status(); }
  /// Writes what is left, notes whether the last writer closed in good order, and makes everything
  /// durable.
  Status finish();

  std::uint64_t unrepeatable() const { return derivation_ ? derivation_->unrepeatable() : 0; }

 private:
  Status write();

  Rocks* rocks_;
  bool writes_;
  std::optional<Derivation> derivation_;
  std::optional<WriteSet> set_;
  std::size_t set_bytes_ = 0;
  std::unordered_set<std::string> previewed_;  ///< keys of bodies that would be there by now
  std::optional<bool> closed_;                 ///< whether the last event is a writer's last word
};

/// Copies what events refer to: texts by their digests, output by its place, schemas by their
/// hashes.
class BodyCopier {
 public:
  /// One body of an event, as it lies in Family::blobs. corrupt: it is there and cannot be read,
  /// which is a problem of this body alone.
  using Get = std::function<Result<std::optional<std::string>>(Family, std::string_view key)>;

  BodyCopier(Get get, CopyTarget& to, CopyReport& report)
      : get_(std::move(get)), to_(&to), report_(&report) {}

  /// Checks the texts against their digests with the store's key. Without it they are only copied.
  void check_with(const BlobKey& key) { key_ = key; }
  /// Asked when something is not there: whether to look again (a reader that is not up to date).
  void retry_with(std::function<bool()> again) { again_ = std::move(again); }
  /// The name of a stream; runs are named by theirs.
  void names_with(std::function<std::string(std::uint32_t)> names) { names_ = std::move(names); }

  Status page(const StoredPage& page, std::span<const EventView> events);

  /// After the last page: of what is not there, what was removed after it was sealed is no problem.
  void finish();

 private:
  Result<const reflect::Schema*> schema_of(std::uint64_t name);
  Status event(const EventView& event, const reflect::Schema& schema);
  Status blob(const schema::BlobRef& ref, const EventView& event);
  Status output(const EventView& event);
  Result<std::optional<std::string>> find(Family family, std::string_view key);
  Status copy(std::string_view key, std::string_view value);
  std::string stream_of(const EventView& event) const;
  void absent(const EventView& event, AbsentKind kind, std::string what);
  Status damaged(std::string_view key, const EventView& event, std::string what);
  BodyProblem about(const EventView& event, Severity severity, std::string what) const;
  void problem(BodyProblem problem);

  Get get_;
  CopyTarget* to_;
  CopyReport* report_;
  std::optional<BlobKey> key_;
  std::function<bool()> again_;
  std::function<std::string(std::uint32_t)> names_;
  std::map<std::uint64_t, std::optional<reflect::Schema>> schemas_;
  std::unordered_set<std::string> damaged_;  ///< keys that were told of
  Removals removals_;
  Absences<BodyProblem> absences_{body_problems_listed_max};
};

/// Follows pages: each must begin where the one before ended and continue its chain. After a page
/// of lost events the chain begins anew.
class PageTrail {
 public:
  PageTrail() = default;
  explicit PageTrail(const StoredPage& last);
  /// corrupt, with what is wrong.
  Status follow(const StoredPage& page);
  std::uint64_t last() const { return last_; }
  std::string chain() const;

 private:
  std::uint64_t last_ = 0;
  std::optional<Digest> chain_ = Digest{};
};

/// Gives every entry of a family of the log that is copied.
using EntriesOf = std::function<void(Family, const EntrySink&)>;

/// Copies what pages of lost events would tell if they were there: names and numbers that were
/// declared in them, and the revisions that lie in them.
Status copy_lost(const std::set<std::uint64_t>& lost_pages, const EntriesOf& entries,
                 CopyTarget& to);

/// Copies the pages of `from` that `have` does not have (nullptr: it has none) into `to`. `have`
/// and the target's place are the same, but in a preview.
Result<CopyReport> copy_log(const Log& from, const Rocks* have, CopyTarget& to,
                            const UpkeepProgress& progress);

}  // namespace pievt
