// A store on a recorded disk, and the few words scenarios are written in. What a scenario attempts
// and what it was promised is kept beside the record, so that any moment of it can be judged later
// (judge.h).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pievt/log.h"
#include "tests/fault_fs/journal.h"
#include "tests/faults/attempt.h"

namespace pievt::faults {

class World {
 public:
  World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  // The words. After an error (a fault that struck) the ones that follow do nothing until open(),
  // which first says again what had not been answered, as a program does.
  void open(OpenMode mode = OpenMode::create);
  void append(const std::string& stream, std::size_t events,
              Durability durability = Durability::fsync, std::size_t text_bytes = 20);
  void append_to(const std::vector<std::string>& streams, std::size_t events,
                 Durability durability = Durability::fsync);
  void append_with_blob(const std::string& stream, std::size_t blob_bytes);
  /// Says the last attempt again under its id, as after a lost acknowledgement.
  void retry_last(Durability durability = Durability::fsync);
  void save_views();
  void start_flush();
  /// A text that no event will refer to.
  void put_orphan(std::size_t bytes);
  void back_up();
  /// What needs the store for itself: close() comes before.
  void restore();
  void collect_garbage();
  /// A run that can be sealed, with the blob of the first attempt as one of its texts; and its
  /// sealing, for which close() comes before too.
  void write_run();
  void seal_and_remove();
  void close();
  /// SIGKILL: what was only in this process is gone, what was given to the kernel is not.
  void die();

  /// Cuts of the power are tried from here on; what was before is only the ground it stands on.
  void begin_here() { begin_ = journal_->size(); }
  std::size_t begin() const { return begin_; }

  std::filesystem::path store() const { return root_ / "store"; }
  std::filesystem::path backup() const { return root_ / "backup"; }
  std::filesystem::path restored() const { return root_ / "restored"; }
  Log& log() { return *log_; }
  Journal& journal() { return *journal_; }
  const std::vector<Attempt>& attempts() const { return attempts_; }
  const Progress& progress() const { return progress_; }
  const std::optional<Error>& error() const { return error_; }

 private:
  void attempt(Attempt attempt);
  void answered(std::size_t which, Durability durability, const Result<Appended>& answer);
  std::vector<std::string> next_texts(std::size_t count, std::size_t text_bytes);
  void failed(const Error& error) { error_ = error; }
  std::string random_text(std::size_t bytes) const;

  std::filesystem::path scratch_, root_;
  std::unique_ptr<Journal> journal_;
  std::optional<Log> log_;
  std::vector<Attempt> attempts_;
  Progress progress_;
  std::size_t begin_ = 0;
  std::size_t texts_ = 0;
  int lives_ = 1;
  std::optional<Error> error_;
};

struct Judgement;

/// One row: a name and what happens. To add another kind of work on a store, add a row
/// (scenarios.cc).
struct Scenario {
  std::string_view name;
  void (*run)(World& world);
  /// What else than the store has promises to keep, with all stores in `root`; called after the
  /// store has been judged, which may have been gone on with.
  Judgement (*also)(const std::filesystem::path& root, std::span<const Attempt> attempts,
                    const Progress& progress) = nullptr;
};
std::vector<Scenario> all_scenarios();

}  // namespace pievt::faults
