#include "tools/verbs/sealed_store.h"

#include <cerrno>
#include <cstdlib>
#include <set>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pievt/query.h"
#include "pievt/sealed.h"
#include "store/log/fd.h"
#include "tools/frame/versions.h"
#include "tools/importers/run_storing.h"
#include "tools/verbs/access.h"

namespace pievt::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view private_prefix = "pievt-view-";

// Removes what verbs left that were killed: nobody holds the lock any more.
void sweep(const fs::path& place) {
  std::error_code failed;
  for (auto at = fs::directory_iterator(place, failed); !failed && at != fs::end(at);
       at.increment(failed)) {
    if (!at->path().filename().string().starts_with(private_prefix)) continue;
    const Fd fd(::open(at->path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    struct stat facts {};
    if (!fd || ::fstat(fd.get(), &facts) != 0 || facts.st_uid != ::getuid()) continue;
    std::error_code ignored;
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) fs::remove_all(at->path(), ignored);
  }
}

// A directory for nobody else, locked for as long as it is there.
class PrivateStore final : public Opened {
 public:
  static Result<std::shared_ptr<PrivateStore>> make() {
    std::error_code failed;
    const fs::path place = fs::temp_directory_path(failed);
    if (failed)
      return Error{Errc::io, "there is no directory for temporary files; set TMPDIR to one"};
    sweep(place);
    // It gets the name that is swept when it is locked, so that nobody takes it for a leftover.
    std::string fresh = (place / "pievt-new-XXXXXX").string();
    if (::mkdtemp(fresh.data()) == nullptr)
      return os_error(fmt::format("cannot create a directory in {}", place.string()), errno);
    auto made = std::make_shared<PrivateStore>();
    made->directory_ = fresh;
    made->lock_ = Fd(::open(fresh.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const fs::path named = place / (std::string(private_prefix) + fresh.substr(fresh.size() - 6));
    if (!made->lock_ || ::flock(made->lock_.get(), LOCK_EX) != 0 ||
        ::rename(fresh.c_str(), named.c_str()) != 0)
      return os_error(fmt::format("cannot use {}", fresh), errno);
    made->directory_ = named;
    return made;
  }

  PrivateStore() = default;
  ~PrivateStore() override {
    std::error_code ignored;
    if (!directory_.empty()) fs::remove_all(directory_, ignored);
  }

  fs::path store() const { return directory_ / "store"; }

 private:
  fs::path directory_;
  Fd lock_;
};

// A run under another id, so that a store can hold it beside one that has the same.
class Renamed final : public RunSource {
 public:
  Renamed(const RunSource& of, std::string run_id) : of_(of), run_id_(std::move(run_id)) {}

  const std::string& run_id() const override { return run_id_; }
  const std::string& origin() const override { return of_.origin(); }
  Revision head() const override { return of_.head(); }
  Status events(const EventSink& sink) const override { return of_.events(sink); }
  Result<std::vector<std::byte>> blob(const schema::BlobRef& ref) const override {
    return of_.blob(ref);
  }
  void blobs(std::span<const schema::BlobRef> refs, const BlobSink& sink) const override {
    of_.blobs(refs, sink);
  }
  Result<std::uint64_t> output(const OutputKey& key, const AttemptState& attempt,
                               const ByteSink& sink) const override {
    OutputKey there = key;
    there.run = of_.run_id();
    return of_.output(there, attempt, sink);
  }
  Result<std::uint64_t> schema_hash(const EventView& event) const override {
    return of_.schema_hash(event);
  }
  Result<std::vector<std::byte>> schema(std::uint64_t short_hash) const override {
    return of_.schema(short_hash);
  }
  Result<Actor> actor(std::uint32_t number) const override { return of_.actor(number); }

 private:
  const RunSource& of_;
  std::string run_id_;
};

// Stores it beside what is there, and returns by which id it is found. Of one run two states can be
// at hand: sealed twice, or sealed and gone on with. To compare them is what diff is for; other
// verbs add up and would count the run twice.
Result<std::string> store_beside(const Context& context, Log& to, const RunSource& source,
                                 const Provenance& from) {
  std::string id = source.run_id();
  if (PIEVT_TRY(to.stream_head(run_stream(id))).value == 0) {
    PIEVT_TRY(store_run(to, source, Unknown::kept, from));
    return id;
  }
  if (context.verb.name != "diff") {
    const auto stored = store_run(to, source, Unknown::kept, from);
    if (stored.ok()) return id;
    if (stored.error().code != Errc::conflict) return stored.error();
    return Error{Errc::invalid,
                 fmt::format("two of these are run {} and say different things of it; ask them one "
                             "by one, or compare them with pievt diff",
                             id)};
  }
  const Renamed other(source, id + "-2");
  PIEVT_TRY(store_run(to, other, Unknown::kept, from));
  return other.run_id();
}

// `RUN@812` of diff is a run, too.
std::string without_moment(const std::string& word) {
  const std::size_t mark = word.rfind('@');
  return mark == std::string::npos || mark == 0 ? word : word.substr(0, mark);
}

// The run that a word of the store means that is there besides.
Status store_from_log(const Context& context, const Log& from, const std::string& word, Log& to) {
  const std::string run_word = word.substr(0, word.find('/'));
  const RunList runs = PIEVT_TRY(load_runs(from));
  const std::string id = PIEVT_TRY(resolve_run(runs, run_word.empty() ? "last" : run_word));
  const auto source = PIEVT_TRY(open_run(from, id));
  const Provenance origin{source->origin(), std::string(program_version()), 0};
  context.opened->runs[run_word] = PIEVT_TRY(store_beside(context, to, *source, origin));
  return {};
}

// A word that means nothing there may yet be the digest of a text that was sealed: whoever looks
// for it says so.
Status store_others(const Context& context, const std::vector<std::string>& words, Log& to) {
  const auto path = store_path(context);
  if (!path.ok()) return path.error().code == Errc::not_found ? Status() : path.error();
  const Log from = PIEVT_TRY(Log::open(*path, {.mode = OpenMode::read}));
  for (const std::string& word : words) {
    const Status stored = store_from_log(context, from, word, to);
    if (!stored.ok() && stored.error().code != Errc::not_found) return stored;
  }
  return {};
}

Status store_from_file(const Context& context, const fs::path& file, Log& to) {
  const auto source = PIEVT_TRY(open_sealed(file));
  const Provenance origin{file.string(), std::string(program_version()),
                          source->facts().file_bytes};
  context.opened->runs[file.string()] = PIEVT_TRY(store_beside(context, to, *source, origin));
  return {};
}

}  // namespace

std::optional<SealedWord> sealed_word(std::string_view word) {
  // At most a job and an attempt stand behind the file.
  std::size_t end = word.size();
  for (int parts = 0; parts < 3; ++parts) {
    const fs::path file(word.substr(0, end));
    if (is_sealed(file))
      return SealedWord{file, std::string(end < word.size() ? word.substr(end + 1) : "")};
    end = word.substr(0, end).rfind('/');
    if (end == std::string_view::npos || end == 0) break;
  }
  return std::nullopt;
}

std::vector<std::string> sealed_words(const Context& context) {
  std::vector<std::string> words;
  bool sealed = false;
  for (const Option& option : context.verb.manual().options) {
    const bool names_runs = option.place == Place::argument && (option.complete == Complete::runs ||
                                                                option.complete == Complete::jobs);
    if (!names_runs) continue;
    for (const std::string& word : context.arguments.all(option.name)) {
      words.push_back(without_moment(word));
      sealed = sealed || sealed_word(words.back());
    }
  }
  const bool whole = context.globals.store && is_sealed(*context.globals.store);
  if (whole) words.push_back(*context.globals.store);
  return sealed || whole ? words : std::vector<std::string>();
}

Result<Log> open_sealed_store(const Context& context, const std::vector<std::string>& words) {
  const auto made = PIEVT_TRY(PrivateStore::make());
  context.opened = made;
  Log log = PIEVT_TRY(Log::open(made->store(), {.mode = OpenMode::create}));
  std::set<std::string> files;
  std::vector<std::string> others;
  for (const std::string& word : words) {
    if (const auto sealed = sealed_word(word)) {
      if (files.insert(sealed->file.string()).second)
        PIEVT_TRY(store_from_file(context, sealed->file, log));
    } else {
      others.push_back(word);
    }
  }
  const bool has_store = !(context.globals.store && is_sealed(*context.globals.store));
  if (!others.empty() && has_store) PIEVT_TRY(store_others(context, others, log));
  PIEVT_TRY(log.close());
  context.opened->name = fmt::format("sealed run {}", fmt::join(files, ", "));
  return Log::open(made->store(), {.mode = OpenMode::read});
}

}  // namespace pievt::tools
