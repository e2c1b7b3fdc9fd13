// A look around the store. Each check is a function that adds lines; every finding ends with what
// to do.
#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "pievt/query.h"
#include "pievt/shell_word.h"
#include "pievt/upkeep.h"
#include "pievt/version.h"
#include "store/format/keys.h"
#include "store/log/head.h"
#include "store/log/log_impl.h"
#include "store/log/schema_registry.h"
#include "store/trust/backup_marker.h"
#include "store/upkeep/attempt_places.h"
#include "store/upkeep/file_system.h"
#include "store/upkeep/place.h"
#include "store/upkeep/store_access.h"
#include "store/views/all.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t bytes_free_min = 1ull << 30;
constexpr std::uint64_t inodes_free_min = 1000;

constexpr const char* family_words[family_count] = {"log",         "streams", "ids",     "index",
                                                    "projections", "blobs",   "schemas", "meta"};

class Doctor {
 public:
  explicit Doctor(const fs::path& store) : store_(store) {}

  Result<DoctorReport> examine() {
    std::error_code failed;
    const auto identity = read_identity(store_);
    if (!identity.ok() && !fs::exists(log_directory(store_), failed)) return identity.error();
    versions(identity);
    file_system();
    access();
    writer();
    leftovers();
    if (auto log = open_log()) {
      head(*log);
      indexes(*log);
      schemas(*log);
      if (indexes_agree_) runs(*log);
      space(*log);
      fine("content", fmt::format("was not read; whether every byte is as it was written: {}",
                                  command("verify --all")));
    }
    report_.findings = static_cast<std::uint64_t>(
        std::ranges::count(report_.checks, Diagnosis::Kind::finding, &Diagnosis::kind));
    return std::move(report_);
  }

 private:
  void fine(std::string topic, std::string what) {
    report_.checks.push_back({std::move(topic), Diagnosis::Kind::fine, std::move(what), {}});
  }
  void finding(std::string topic, std::string what, std::string next) {
    report_.checks.push_back(
        {std::move(topic), Diagnosis::Kind::finding, std::move(what), std::move(next)});
  }
  std::string command(std::string_view verb) const { return store_command(verb, store_); }

  void versions(const Result<StoreIdentity>& identity) {
    fine("versions", fmt::format("pievt {}, RocksDB {}, store format {}", version, rocks_version(),
                                 store_format_version));
    if (identity.ok()) {
      report_.store_id = identity->id;
      fine("store", fmt::format("{}, format {}", identity->id, identity->format_version));
    } else {
      finding("store", identity.error().what,
              identity.error().code == Errc::too_new ? "use a newer pievt"
                                                     : command("doctor --rebuild"));
    }
    std::error_code failed;
    if (fs::exists(store_ / backup_marker, failed))
      fine("store", "this is a backup, and only read");
    if (fs::exists(store_ / "SALVAGED", failed))
      fine("store", "it was salvaged, see the file SALVAGED in it");
  }

  void file_system() {
    const auto facts = examine_file_system(store_);
    if (!facts.ok())
      return finding("file system", facts.error().what,
                     fmt::format("ls -ld {}", shell_word(store_)));
    if (facts->is_network) {
      finding("file system",
              fmt::format("{} is a network file system; its locks and its sync are others' word",
                          facts->type),
              fmt::format("move the store to a local disk: {}, pievt restore DEST ELSEWHERE",
                          command("backup DEST")));
    } else {
      fine("file system", facts->type + (facts->is_read_only ? ", read-only" : ""));
    }
    const auto works = [&](const char* topic, Ability ability, const char* good, const char* bad,
                           const char* next) {
      if (ability == Ability::works) fine(topic, good);
      if (ability == Ability::fails) finding(topic, bad, next);
    };
    constexpr const char* elsewhere = "move the store to another file system";
    works("locks", facts->record_locks, "record locks work", "record locks do not work here",
          elsewhere);
    works("locks", facts->flock, "locks of directories work", "flock does not work here",
          elsewhere);
    works("sync", facts->sync, "fsync works", "fsync fails: nothing is durable here", elsewhere);
    works("holes", facts->holes, "holes can be made in files",
          "no holes can be made in files: the output of running attempts takes its full size",
          "keep room for the output of all running attempts, or move the store");
    const std::string room =
        fmt::format("{} MiB of {} MiB are free", facts->bytes_free >> 20, facts->bytes_total >> 20);
    const bool little = facts->bytes_free < bytes_free_min ||
                        (facts->inodes_free != 0 && facts->inodes_free < inodes_free_min);
    if (little && !facts->is_read_only) {
      finding("space", room, how_to_make_room());
    } else {
      fine("space", room);
    }
  }

  std::string how_to_make_room() const {
    const auto garbage = collect_garbage(
        store_, {.preview = Preview::yes, .progress = {}, .remove_attempt = {}, .only_run = {}});
    if (garbage.ok() && garbage->bytes > 0) return command("gc");
    return fmt::format("make room on the file system of {}: nothing in the log can go",
                       shell_word(store_));
  }

  // Nobody writes to a backup but `pievt backup`, which says itself what keeps it from it.
  void access() {
    std::error_code failed;
    if (fs::exists(store_ / backup_marker, failed)) return;
    for (Diagnosis& one : examine_access(store_)) report_.checks.push_back(std::move(one));
  }

  void writer() {
    const auto owner = WriterLock::current_owner(store_);
    writer_alive_ = owner.has_value();
    if (owner) {
      const auto now = std::chrono::system_clock::now().time_since_epoch();
      const auto now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
      std::string what = busy_sentence(store_, owner, now_ns);
      if (!is_stopped(*owner)) return fine("writer", std::move(what));
      return finding("writer", what + ". It is stopped, so whoever appends waits",
                     fmt::format("kill -CONT {}", owner->pid));
    }
    std::error_code failed;
    std::string what = "nobody writes";
    if (fs::exists(store_ / "LOCK", failed)) {
      const auto record = read_small_file(store_ / "LOCK");
      const auto last = record.ok() ? parse_record(*record) : std::nullopt;
      if (last) what += fmt::format("; the last one was {} (process {})", last->program, last->pid);
    }
    fine("writer", what);
  }

  // What was being made when something died. Nothing refers to it.
  void leftovers() {
    std::error_code failed;
    std::uint64_t found = 0;
    for (const auto& entry : fs::directory_iterator(store_, failed)) {
      if (writer_alive_ || entry.path().extension() != ".tmp") continue;
      ++found;
      finding("leftovers",
              fmt::format("{} was being written when its writer died",
                          entry.path().filename().string()),
              fmt::format("rm {}", shell_word(entry.path())));
    }
    if (!writer_alive_ && fs::exists(store_ / rebuild_directory, failed)) {
      ++found;
      finding("leftovers", "a rebuild was cut off; the log is the one before it or the one after",
              command("doctor --rebuild"));
    }
    const fs::path preview = store_ / preview_directory;
    if (fs::exists(preview, failed) && !WriterLock::current_owner(preview)) {
      ++found;
      finding("leftovers", "a dry run of a rebuild was cut off",
              fmt::format("rm -r {}", shell_word(preview)));
    }
    if (found == 0) fine("leftovers", "none");
  }

  std::optional<Log> open_log() {
    auto log = Log::open(store_, {.mode = OpenMode::read});
    if (log.ok()) return std::optional(std::move(*log));
    const Error& why = log.error();
    std::error_code failed;
    const bool stored = fs::exists(store_ / "STORE", failed);
    if (why.code == Errc::not_found && stored) {
      fine("log", why.what);
    } else {
      finding("log", why.what, after(why));
    }
    return std::nullopt;
  }

  // What makes a log whole again that cannot be opened. Where the sentence names a command for this
  // store, that is it.
  std::string after(const Error& why) const {
    if (why.code == Errc::too_new) return "use a newer pievt";
    const bool lost = why.what.find("pages are missing") != std::string::npos;
    return lost ? salvage_command(store_) : command("doctor --rebuild");
  }

  void head(const Log& log) {
    const LogInfo info = log.info();
    fine("log", fmt::format("ends at @{}", info.head.value));
    if (const auto goal = unfinished_backup(store_, info.head))
      finding("backup", fmt::format("it was cut off before @{}, or is being made", goal->value),
              fmt::format("pievt backup {} --store SOURCE", shell_word(store_)));
    if (info.missing != 0) {
      finding("head",
              fmt::format("{} events were acknowledged since this machine started and are not in "
                          "the log",
                          info.missing),
              salvage_command(store_));
      return;
    }
    if (const Status& key = log.impl().blobs().key_state(); !key.ok())
      finding("texts", key.error().what, salvage_command(store_));
    const auto value = read_head(store_);
    const bool is_ours = value.ok() && *value && !info.writer_alive &&
                         to_string(AppendId{(*value)->store_id}) == info.store_id;
    if (is_ours && (*value)->committed > info.head.value) {
      finding("head",
              fmt::format("HEAD says @{}, and the log ends at @{}: events that were not yet on the "
                          "disk when the machine stopped, or files are gone",
                          (*value)->committed, info.head.value),
              command("verify --all"));
    } else if (value.ok() && *value) {
      fine("head", fmt::format("HEAD says @{}", (*value)->committed));
    } else {
      fine("head", "there is no HEAD, or none that can be read; the next writer makes one");
    }
    const auto closed = closed_in_good_order(log.impl().rocks());
    if (!info.writer_alive && closed.ok() && !*closed)
      fine("head", "the last writer did not close in good order; the next one takes over");
  }

  // Whether the index of streams is without holes, and every stream has its name.
  void indexes(const Log& log) {
    const Rocks& rocks = log.impl().rocks();
    std::uint64_t entries = 0, streams = 0;
    format::StreamIndexEntry before{};
    std::string wrong;
    auto cursor = rocks.cursor(Family::streams, Rocks::Fill::scan);
    for (cursor.seek(""); cursor.valid() && wrong.empty(); cursor.next()) {
      const auto entry = format::StreamIndexEntry::parse(cursor.key(), cursor.value());
      if (!entry) {
        wrong = "an entry of the index of streams is damaged";
        break;
      }
      const bool same = entry->stream == before.stream;
      if (entry->first_revision != (same ? before.last_revision + 1 : 1))
        wrong = fmt::format("the index has no entry for #{} of stream {}",
                            same ? before.last_revision + 1 : 1, entry->stream);
      if (!same) {
        ++streams;
        if (const auto name = log.stream_name(entry->stream); !name.ok()) wrong = name.error().what;
      }
      ++entries;
      before = *entry;
    }
    if (!cursor.status().ok()) wrong = cursor.status().error().what;
    if (wrong.empty() && log.head().value != 0 && entries == 0) wrong = "the indexes are empty";
    indexes_agree_ = wrong.empty();
    if (wrong.empty()) {
      fine("indexes", fmt::format("{} streams, {} entries", streams, entries));
    } else {
      finding("indexes", wrong, command("doctor --rebuild"));
    }
  }

  // Without the schema it was written with no event can be shown; the one of this pievt comes back
  // with the next writer.
  void schemas(const Log& log) {
    const Rocks& rocks = log.impl().rocks();
    std::uint64_t count = 0;
    auto cursor = rocks.cursor(Family::schemas, Rocks::Fill::scan);
    for (cursor.seek(""); cursor.valid(); cursor.next()) ++count;
    Status status = cursor.status();
    if (const auto last = load_last_page(rocks); status.ok() && last.ok() && *last) {
      const auto schema = load_schema(rocks, (*last)->view().header->schema);
      if (!(*last)->view().is_lost() && !schema.ok()) status = schema.error();
    }
    if (status.ok()) return fine("schemas", fmt::format("{} are stored", count));
    finding("schemas", status.error().what, command("doctor --rebuild"));
  }

  void runs(const Log& log) {
    const auto runs = load_runs(log);
    if (!runs.ok()) return finding("runs", runs.error().what, command("verify --all"));
    const auto saved = log.load_checkpoint(run_list_name);
    const std::uint64_t at = saved.ok() && *saved ? (*saved)->at.value : 0;
    fine("views", at == 0 ? "no list of runs is saved; it is made when somebody asks"
                          : fmt::format("the saved list of runs is of @{}, the log ends at @{}", at,
                                        log.head().value));
    for (const auto& summary : runs->runs) {
      const bool open = summary->phase != state::RunPhase::finished;
      if (open && !writer_alive_ && !lives(summary->supervisor.get()))
        unfinished(log, summary->run_id);
    }
    attempts(find_attempt_places(store_, log, *runs));
    places();
  }

  // A supervisor with nothing to append need not be the one who writes.
  static bool lives(const schema::ProcessIdT* supervisor) {
    if (supervisor == nullptr || supervisor->start_ticks == 0) return false;
    const Owner there = describe_process(supervisor->pid, "");
    return there.start_ticks == supervisor->start_ticks && there.boot_id == supervisor->boot_id &&
           there.pid_namespace == supervisor->pid_namespace;
  }

  void unfinished(const Log& log, const std::string& run_id) {
    const auto run = load_run(log, run_id);
    // Another system's run goes on there, if anywhere.
    if (run.ok() && !run->ruleset.empty() && !run->ruleset.starts_with("pievt-")) {
      return fine("runs", fmt::format("run {} was imported ({}) before it was finished", run_id,
                                      run->ruleset));
    }
    finding("runs", fmt::format("run {} is not finished and nobody works on it", run_id),
            command(fmt::format("resume {}", run_id)));
  }

  void attempts(const AttemptPlaces& found) {
    const std::string what = fmt::format("{} directories for {} attempts that are not judged",
                                         found.directories, found.open);
    if (writer_alive_) return fine("attempts", what);
    for (const fs::path& unknown : found.unknown) {
      finding("attempts", fmt::format("{} belongs to no attempt of this store", unknown.string()),
              fmt::format("rm -r {}", shell_word(unknown)));
    }
    if (found.judged == 0) return fine("attempts", what);
    finding("attempts",
            fmt::format("{}; {} of them are of attempts that are over", what, found.judged),
            command("gc"));
  }

  // worktrees/<run>/<job>/<n> and apply/<one that was interrupted>.
  void places() {
    std::error_code failed;
    std::uint64_t trees = 0;
    for (auto at = fs::recursive_directory_iterator(store_ / "worktrees", failed);
         !failed && at != fs::end(at); at.increment(failed)) {
      if (at.depth() < 2) continue;
      at.disable_recursion_pending();
      ++trees;
    }
    if (trees > 0)
      fine("worktrees", fmt::format("{} kept below {}: of attempts that run, that wait for a "
                                    "person, or whose patch could not be stored",
                                    trees, (store_ / "worktrees").string()));
    std::uint64_t journals = 0;
    for (auto at = fs::directory_iterator(store_ / "apply", failed); !failed && at != fs::end(at);
         at.increment(failed))
      journals += at->path().extension() == ".git" ? 0u : 1u;
    if (journals > 0)
      finding("apply", "an apply was interrupted; your files are as they were, or half changed",
              "pievt apply: the next one completes or undoes it first");
  }

  void space(const Log& log) {
    for (std::size_t i = 0; i < family_count; ++i) {
      report_.space.push_back(
          {family_words[i], log.impl().rocks().bytes_of(static_cast<Family>(i))});
    }
  }

  fs::path store_;
  DoctorReport report_;
  bool writer_alive_ = false;
  bool indexes_agree_ = true;
};

}  // namespace

Result<DoctorReport> diagnose(const fs::path& store) {
  return Doctor(store).examine();
}

}  // namespace pievt
