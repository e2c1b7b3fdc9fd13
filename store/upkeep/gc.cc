// What nobody refers to any more. A text is put before the event that refers to it, so at any
// moment there may be texts that are not garbage but not referred to yet. gc therefore takes the
// writer's role itself and opens the database without a Log: while it works nobody puts anything,
// and everything that is there was put in a writer's period that is over.
//
// That is not enough where the writer was killed: a process that put a text through it lives on,
// and will append the event as soon as it has found the next writer. How long it takes is nobody's
// to guess, so there is no rule of age. But every process that could put anything has been declared
// in the log before it could, and the kernel says whether it lives.
//
// Where a run was sealed with removal, an event said so before anything went. So there is nothing
// else to remember: what the events in its file refer to, and no other event, is garbage from then
// on, and whoever collects next takes what a kill or a living process left.
#include <algorithm>
#include <chrono>
#include <map>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "pievt/query.h"
#include "pievt/sealed.h"
#include "pievt/shell_word.h"
#include "pievt/upkeep.h"
#include "store/format/blob_refs.h"
#include "store/format/keys.h"
#include "store/log/log_impl.h"
#include "store/log/output_store.h"
#include "store/log/schema_registry.h"
#include "store/log/stored_page.h"
#include "store/log/writer_lock.h"
#include "store/upkeep/attempt_places.h"

namespace pievt {
namespace {

constexpr std::size_t removals_per_write = 1000;

// The keys in Family::blobs that events refer to.
class References {
 public:
  /// `removed`: whose events, as far as they lie in a file, need nothing. `only_run`: of these, the
  /// one to ask releases() for; empty: all.
  References(const Log& log, RemovedRuns removed, std::string_view only_run)
      : log_(&log), removed_(std::move(removed)), only_run_(only_run) {}

  /// An error means that not everything could be read, and then nothing may be called garbage.
  Status gather(const UpkeepProgress& progress) {
    const Log::Impl& log = log_->impl();
    const std::uint64_t head = log_->head().value;
    std::uint64_t last = 0;
    auto cursor = log.rocks().cursor(Family::log, Rocks::Fill::scan);
    for (cursor.seek(""); cursor.valid(); cursor.next()) {
      StoredPage page;
      PIEVT_TRY(page.load(cursor.value(), log.place.identity.short_id()));
      if (page.first() != last + 1) break;
      last = page.last();
      PIEVT_TRY(take(page));
      if (progress) progress(last, head);
    }
    PIEVT_TRY(cursor.status());
    if (last == head) return {};
    return Error{Errc::corrupt,
                 fmt::format("the page of @{} is missing, so nothing can be told to "
                             "be garbage; run: {}",
                             last + 1, store_command("verify --all", log.place.directory))};
  }

  /// Processes that may yet refer to what they put. Not this one: who collects knows of itself.
  std::vector<std::string> living() const {
    std::vector<std::string> found;
    for (const auto& [id, program] : actors_) {
      const auto& [pid, start_ticks, pid_namespace] = id;
      if (pid == self_.pid && start_ticks == self_.start_ticks) continue;
      const Owner now = describe_process(pid, program);
      // From within another namespace of processes nothing can be said about it.
      const bool is_hidden = pid_namespace != self_.pid_namespace;
      if (is_hidden)
        found.push_back(fmt::format("{} of another PID namespace ({})", pid, program));
      else if (now.start_ticks == start_ticks)
        found.push_back(fmt::format("{} ({})", pid, program));
    }
    return found;
  }

  bool contains(std::string_view key) const { return keys_.contains(std::string(key)); }

  /// Whether an event refers to it that lies in the file of a sealed run.
  bool releases(std::string_view key) const { return released_.contains(std::string(key)); }

 private:
  struct Stream {
    std::string run;            ///< empty: another stream
    std::uint64_t in_file = 0;  ///< so many of its events are in a file and need nothing here
  };

  Result<const Stream*> stream_of(const EventView& event) {
    const auto [found, is_new] = streams_.try_emplace(event.stamp->stream());
    if (!is_new) return &found->second;
    const std::string name = PIEVT_TRY(log_->stream_name(event.stamp->stream()));
    if (!name.starts_with("run/")) return &found->second;
    found->second.run = name.substr(4);
    const auto removed = removed_.find(found->second.run);
    if (removed != removed_.end()) found->second.in_file = removed->second.events;
    return &found->second;
  }

  Status take(const StoredPage& page) {
    if (page.view().is_lost()) return {};
    const std::uint64_t name = page.view().header->schema;
    if (!schema_ || schema_name_ != name) {
      const auto bytes = PIEVT_TRY(load_schema(log_->impl().rocks(), name));
      schema_ = PIEVT_TRY(reflect::Schema::load(bytes));
      schema_name_ = name;
    }
    events_.clear();
    PIEVT_TRY(format::collect_events(page.view(), std::nullopt, events_));
    for (const EventView& event : events_) {
      if (const auto* actor = event.envelope->payload_as_ActorDeclared()) take(*actor);
      const auto found = PIEVT_TRY(blobs_of(*schema_, event.body));
      const auto* captured = event.envelope->payload_as_OutputCaptured();
      if (found.empty() && captured == nullptr) continue;
      const Stream& stream = *PIEVT_TRY(stream_of(event));
      const bool needs = event.revision().value > stream.in_file;
      const bool releases = !needs && (only_run_.empty() || stream.run == only_run_);
      const auto refer = [&](std::string key) {
        if (needs) keys_.insert(std::move(key));
        if (releases) released_.insert(std::move(key));
      };
      for (const FoundBlob& blob : found) refer(blob_key(from_schema(blob.ref.digest())));
      if (captured == nullptr || stream.run.empty()) continue;
      const OutputKey key{stream.run, event.head().job(), event.head().attempt(),
                          captured->channel()};
      refer(output_chunk_key(key, captured->chunk()));
    }
    return {};
  }

  // Of an earlier boot nothing is alive.
  void take(const schema::ActorDeclared& actor) {
    const schema::ProcessId* process = actor.process();
    if (process == nullptr || process->boot_id() == nullptr) return;
    if (process->boot_id()->str() != self_.boot_id) return;
    const auto* program = actor.program();
    actors_[{process->pid(), process->start_ticks(), process->pid_namespace()}] =
        program == nullptr ? "" : program->str();
  }

  const Log* log_;
  RemovedRuns removed_;
  std::string only_run_;
  const Owner self_ = this_process("");
  /// pid, start and namespace; the program.
  std::map<std::tuple<std::int64_t, std::uint64_t, std::uint64_t>, std::string> actors_;
  std::unordered_set<std::string> keys_, released_;
  std::unordered_map<std::uint32_t, Stream> streams_;
  std::vector<EventView> events_;
  std::optional<reflect::Schema> schema_;
  std::uint64_t schema_name_ = 0;
};

class Sweep {
 public:
  /// `everything`: also what no event ever referred to.
  Sweep(const Log& log, const References& references, const RunList& runs, bool everything,
        GcReport& report)
      : log_(&log), references_(&references), everything_(everything), report_(&report) {
    for (const auto& run : runs.runs) {
      if (run->phase != state::RunPhase::finished) unfinished_.insert(run->run_id);
    }
  }

  /// Finds what may go. Manifests first: they tell which chunks belong to something.
  Status find() {
    std::unordered_set<std::string> uploads, gone;
    const auto manifest = [&](std::string_view key, std::string_view value) -> Status {
      const bool needed = references_->contains(key), released = references_->releases(key);
      const bool goes = !needed && (released || everything_);
      if (needed && released) ++report_->shared_texts;
      if (goes) remove(key, value, released ? report_->sealed_texts : report_->texts);
      // Of a damaged manifest that goes nobody knows the chunks; they belong to nothing then.
      const auto chunks = chunk_keys_of(value);
      if (!chunks.ok() && goes) return {};
      if (!chunks.ok()) return chunks.error();
      if (!chunks->empty()) (goes ? gone : uploads).insert(chunks->front().substr(0, upload_bytes));
      return {};
    };
    const auto chunk = [&](std::string_view key, std::string_view value) -> Status {
      const std::string upload(key.substr(0, upload_bytes));
      if (gone.contains(upload) || (everything_ && !uploads.contains(upload)))
        remove(key, value, report_->chunks);
      return {};
    };
    const auto output = [&](std::string_view key, std::string_view value) -> Status {
      if (references_->contains(key)) return {};
      const std::string_view run = key.substr(1, key.find('\0') - 1);
      if (references_->releases(key)) {
        remove(key, value, report_->sealed_output_chunks);
      } else if (!everything_) {
        return {};
      } else if (unfinished_.contains(std::string(run))) {
        ++report_->kept_for_runs;
      } else {
        remove(key, value, report_->output_chunks);
      }
      return {};
    };
    PIEVT_TRY(each("m", manifest));
    PIEVT_TRY(each("c", chunk));
    return each("o", output);
  }

  Status remove_from(Rocks& rocks) const {
    for (std::size_t at = 0; at < garbage_.size(); at += removals_per_write) {
      WriteSet set(rocks);
      const std::size_t end = std::min(garbage_.size(), at + removals_per_write);
      for (std::size_t i = at; i < end; ++i) set.remove(Family::blobs, garbage_[i]);
      PIEVT_TRY(rocks.write(std::move(set), Durability::wal));
    }
    return rocks.flush_wal(Durability::fsync);
  }

  bool empty() const { return garbage_.empty(); }

  /// What was found stays after all.
  void keep_for(std::vector<std::string> processes) {
    if (garbage_.empty() || processes.empty()) return;
    report_->kept_for_processes = garbage_.size();
    report_->processes = std::move(processes);
    report_->texts = report_->chunks = report_->output_chunks = report_->bytes = 0;
    report_->sealed_texts = report_->sealed_output_chunks = 0;
    garbage_.clear();
  }

 private:
  static constexpr std::size_t upload_bytes = 1 + sizeof(AppendId);

  Status each(std::string_view letter,
              const std::function<Status(std::string_view, std::string_view)>& visit) {
    auto cursor = log_->impl().rocks().cursor(Family::blobs, Rocks::Fill::scan);
    for (cursor.seek(letter); cursor.valid() && cursor.key().starts_with(letter); cursor.next())
      PIEVT_TRY(visit(cursor.key(), cursor.value()));
    return cursor.status();
  }

  void remove(std::string_view key, std::string_view value, std::uint64_t& count) {
    garbage_.emplace_back(key);
    ++count;
    report_->bytes += key.size() + value.size();
  }

  const Log* log_;
  const References* references_;
  bool everything_;
  GcReport* report_;
  std::unordered_set<std::string> unfinished_;
  std::vector<std::string> garbage_;
};

// A run whose file is not there as it was verified keeps what it has: that may be the only copy.
void keep_without_file(const std::filesystem::path& store, RemovedRuns& removed) {
  std::erase_if(removed, [&](const auto& item) {
    const auto found = sha256_of_file(item.second.place(store));
    return !found.ok() || *found != item.second.sha256;
  });
}

// Directories of attempts that are over: all they had to say is in the store. Whoever supervises a
// run may not be done with them (a gate looks at what an attempt left), and removes them itself.
Status remove_attempts(const Log& log, const RunList& runs, const GcOptions& options,
                       GcReport& report) {
  if (!options.remove_attempt) return {};
  for (const SupervisedRun& one : find_supervised(log.info().directory))
    report.supervised.push_back(one.run);
  for (const auto& summary : runs.runs) {
    const bool is_supervised = std::ranges::count(report.supervised, summary->run_id) > 0;
    const Preview preview = is_supervised ? Preview::yes : options.preview;
    const RunState run = PIEVT_TRY(load_run(log, summary->run_id));
    const auto remove = [&](const std::string& job, const auto& attempts) -> Status {
      for (const auto& attempt : attempts) {
        const bool over =
            attempt->phase == state::AttemptPhase::classified && attempt->survivors == 0;
        if (!over) continue;
        const std::uint64_t bytes =
            PIEVT_TRY(options.remove_attempt(run.run_id, job, attempt->number, preview));
        if (bytes == 0) continue;
        if (is_supervised) {
          ++report.kept_attempts;
          continue;
        }
        ++report.attempts;
        report.attempt_bytes += bytes;
      }
      return {};
    };
    PIEVT_TRY(remove({}, run.attempts));
    for (const auto& job : run.jobs) PIEVT_TRY(remove(job->id, job->attempts));
  }
  return {};
}

}  // namespace

Result<GcReport> collect_garbage(const std::filesystem::path& store, const GcOptions& options) {
  static_cast<void>(PIEVT_TRY(read_identity(store)));
  PIEVT_TRY(refuse_backup(store));
  // Who only looks needs no role: beside a writer everything is kept, and the report says for whom.
  std::optional<WriterLock> lock;
  if (options.preview == Preview::no)
    lock.emplace(PIEVT_TRY(WriterLock::acquire(store, this_process("pievt gc"), brief_lock_wait)));
  GcReport report;
  Log log = PIEVT_TRY(Log::open(store, {.mode = OpenMode::read}));
  if (log.info().missing != 0) {
    return Error{Errc::corrupt,
                 fmt::format("{} has lost its last {} events; run: {}", store.string(),
                             log.info().missing, store_command("doctor", store))};
  }
  RemovedRuns removed = PIEVT_TRY(removed_runs(log));
  keep_without_file(store, removed);
  if (options.preview == Preview::yes && !options.only_run.empty())
    removed[options.only_run].events =
        PIEVT_TRY(log.stream_head(run_stream(options.only_run))).value;
  References references(log, std::move(removed), options.only_run);
  PIEVT_TRY(references.gather(options.progress));
  const RunList runs = PIEVT_TRY(load_runs(log));
  Sweep sweep(log, references, runs, options.only_run.empty(), report);
  PIEVT_TRY(sweep.find());
  sweep.keep_for(references.living());
  if (options.preview == Preview::no && !sweep.empty()) {
    Rocks rocks = PIEVT_TRY(Rocks::open_writer(log_directory(store), Rocks::Create::never));
    PIEVT_TRY(sweep.remove_from(rocks));
    PIEVT_TRY(rocks.compact(Family::blobs));
    PIEVT_TRY(rocks.close());
  }
  if (options.only_run.empty()) PIEVT_TRY(remove_attempts(log, runs, options, report));
  return report;
}

}  // namespace pievt
