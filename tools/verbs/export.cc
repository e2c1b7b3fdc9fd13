// `pievt export RUN`: one run in another format. The formats are rows of tools/exporters; here is
// where the bytes go, and that a file that could not be written whole is not left behind.
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pievt/sealed.h"
#include "supervisor/process/fd.h"
#include "tools/exporters/exporter.h"
#include "tools/exporters/redacted_source.h"
#include "tools/frame/nearest.h"
#include "tools/frame/versions.h"
#include "tools/verbs/access.h"
#include "tools/verbs/sealed_store.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_export = {
    argument("run", "which run, or RUN/JOB/ATTEMPT of one; the last run when left out")
        .completing(Complete::runs),
    value("--format", "NAME", "which format; without a NAME that exists they are listed")
        .completing(Complete::formats),
    value("--file", "FILE", "write to FILE, which is there whole or not at all")
        .with_letter('f')
        .completing(Complete::files),
    flag("--redact", "without prompts, messages, arguments, results, output and free text"),
    value("--manifest", "FILE", "the account of the export as JSON, beside it")
        .completing(Complete::files),
    choice("--semconv", "1.37|1.36", "of otlp: which version of the conventions for GenAI"),
    flag("--formats", "list the formats, what each counts and what it cannot carry"),
};

constexpr Manual manual_of_export = {
    .details =
        "Writes one run to standard output, or with -f to a file. Each format ends with an "
        "account, the manifest: how many events went in, how many items came out, and which kinds "
        "of events the format has no place for, with their number. It is said on standard error, "
        "stands at the end of formats that have room for it, and --manifest writes it to a file of "
        "its own. With -f and -o json it is what is written to standard output. Events of types "
        "that this version does not know are exported like others.\n\n"
        "`jsonl` is the whole run: pievt import FILE makes the same run of it in another store. "
        "`raw` and `pi-session` are byte for byte what was captured: of one attempt where "
        "RUN/JOB/ATTEMPT names one, else a tar archive of all.\n\n"
        "--redact takes out every body and every text that is not a name, and says how many.\n\n"
        "A file appears under its name only when it is whole; when the disk is full, nothing is "
        "left of it.",
    .options = options_of_export,
    .examples = {{{"pievt export last --format html -f run.html", "a page to look at and send on"},
                  {"pievt export last --format jsonl | zstd > run.jsonl.zst",
                   "the whole run, to be imported elsewhere"}}},
};

Result<const ExporterRow*> format_of(const Context& context) {
  const auto name = context.arguments.text("--format");
  std::vector<std::string_view> names;
  for (const ExporterRow& row : exporters()) names.push_back(row.name);
  if (!name)
    return Error{Errc::invalid,
                 fmt::format("--format is missing; there are {}", fmt::join(names, ", "))};
  if (const ExporterRow* row = find_exporter(*name)) return row;
  const auto near = nearest(*name, names);
  return Error{
      Errc::invalid,
      fmt::format("--format {}: there is no such format{}; there are {}", *name,
                  near ? fmt::format(" (did you mean {}?)", *near) : "", fmt::join(names, ", "))};
}

void list_formats(Context& context) {
  if (context.wants_json()) {
    render::JsonWriter json = context.json();
    json.begin_document("pievt.export_formats", 1).key("formats").begin_array();
    for (const ExporterRow& row : exporters()) {
      json.begin_object()
          .member("format", row.name)
          .member("summary", row.summary)
          .member("items", row.item)
          .member("cannot", row.cannot)
          .end_object();
    }
    json.end_array().end_object().end_document();
    return;
  }
  for (const ExporterRow& row : exporters()) {
    context.out.print("{:<12} {}\n{:<12} counts {}; leaves out {}\n", row.name, row.summary, "",
                      row.item, row.cannot);
  }
}

// A file that takes its name when it is whole.
class WholeFile {
 public:
  static Result<WholeFile> create(const std::filesystem::path& path) {
    WholeFile file;
    file.path_ = path;
    file.temporary_ = path.string() + fmt::format(".{}.part", ::getpid());
    file.fd_ = process::Fd(::open(file.temporary_.c_str(),
                                  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.fd_.get() < 0)
      return os_error(fmt::format("creating {}", file.temporary_.string()), errno);
    return file;
  }
  WholeFile(WholeFile&& other) noexcept
      : path_(std::move(other.path_)),
        temporary_(std::exchange(other.temporary_, {})),
        fd_(std::move(other.fd_)) {}
  WholeFile& operator=(WholeFile&&) = delete;
  ~WholeFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }

  int fd() const { return fd_.get(); }

  Status finish() {
    if (::fsync(fd_.get()) != 0 && errno != EINVAL)
      return os_error(fmt::format("writing {}", path_.string()), errno);
    if (::rename(temporary_.c_str(), path_.c_str()) != 0)
      return os_error(fmt::format("naming {}", path_.string()), errno);
    temporary_.clear();
    return {};
  }

 private:
  WholeFile() = default;
  std::filesystem::path path_, temporary_;
  process::Fd fd_;
};

// What `write` writes, in a file.
template <class Write>
auto to_file(const std::filesystem::path& path, Write write)
    -> decltype(write(std::declval<render::Writer&>())) {
  // A device or a pipe has no name to take: it is written to as it is.
  struct stat facts {};
  if (::stat(path.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode)) {
    const process::Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (fd.get() < 0) return os_error(fmt::format("opening {}", path.string()), errno);
    render::FdWriter out(fd.get());
    auto written = write(out);
    out.flush();
    if (out.error() != 0) return os_error(fmt::format("writing {}", path.string()), out.error());
    return written;
  }
  WholeFile file = PIEVT_TRY(WholeFile::create(path));
  render::FdWriter out(file.fd());
  auto written = write(out);
  out.flush();
  if (out.error() != 0)
    return os_error(fmt::format("writing {}; nothing is left of it", path.string()), out.error());
  if (!written.ok()) return written;
  PIEVT_TRY(file.finish());
  return written;
}

void write_manifest(render::JsonWriter json, const Manifest& manifest) {
  json.begin_document("pievt.export_manifest", 1);
  write_manifest_members(json, manifest);
  json.end_object().end_document();
}

// `812` or `#812`.
std::optional<std::uint64_t> event_number(std::string_view moment) {
  if (moment.starts_with('#')) moment.remove_prefix(1);
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(moment.data(), moment.data() + moment.size(), number);
  if (failed != std::errc() || end != moment.data() + moment.size()) return std::nullopt;
  return number;
}

}  // namespace

const Manual& export_manual() {
  return manual_of_export;
}

Result<Exit> export_run(Context& context) {
  if (context.arguments.has("--formats")) {
    list_formats(context);
    return Exit::ok;
  }
  const ExporterRow& row = *PIEVT_TRY(format_of(context));
  const std::string word = context.arguments.text_or("run", "last");
  // A sealed file is read as it is. A moment other than an event is looked up in a store.
  const auto sealed = sealed_word(word);
  const auto event = event_number(context.globals.at.value_or("0"));
  std::optional<Log> log;
  Reference reference;
  std::unique_ptr<RunSource> whole;
  if (sealed && event) {
    whole = PIEVT_TRY(open_sealed(sealed->file, {*event}));
    const RunState state = PIEVT_TRY(whole->state());
    reference = PIEVT_TRY(resolve_within(state, sealed->rest));
    context.talk.say(fmt::format("sealed run {}", sealed->file.string()));
  } else {
    log.emplace(PIEVT_TRY(open_to_read(context)));
    reference = PIEVT_TRY(resolve(context, *log, word));
    const Revision at = PIEVT_TRY(moment(context, *log, reference.run));
    whole = PIEVT_TRY(open_run(*log, reference.run, at));
    say_scope(context, *log, reference.run, at);
  }

  if (reference.job && row.part == ExporterRow::Part::run)
    return Error{
        Errc::invalid,
        fmt::format("{} is a job, and {} is of whole runs; name the run alone", word, row.name)};
  ExportOptions asked;
  asked.pievt_version = program_version();
  asked.job = reference.job;
  asked.attempt = reference.attempt;
  asked.semconv = context.arguments.text_or("--semconv", "1.37");
  Redactions counts;
  std::unique_ptr<RunSource> bare;
  if (context.arguments.has("--redact")) {
    if (row.redacted == ExporterRow::Redacted::pointless)
      return Error{Errc::invalid, fmt::format("{} is nothing but bodies: with --redact nothing is "
                                              "left of it",
                                              row.name)};
    bare = redacted(*whole, counts);
    asked.redactions = &counts;
  }
  const RunSource& source = bare ? *bare : *whole;
  const auto write = [&](render::Writer& out) {
    return tools::export_run(row, source, out, asked);
  };
  const auto file = context.arguments.text("--file");
  const bool to_stdout = !file || *file == "-";
  Result<Manifest> manifest = to_stdout ? write(context.out) : to_file(*file, write);
  // The reader went away, or the disk is full: the frame knows which, and what to say.
  if (!manifest.ok() && context.out.done()) return Exit::ok;
  if (!manifest.ok()) return std::move(manifest).error();
  if (const auto beside = context.arguments.text("--manifest")) {
    PIEVT_TRY(to_file(*beside, [&](render::Writer& out) -> Status {
      write_manifest(render::JsonWriter(out, render::JsonWriter::Layout::indented), *manifest);
      return {};
    }));
  }
  if (context.wants_json() && !to_stdout) write_manifest(context.json(), *manifest);
  context.talk.say(fmt::format("{}: {}", row.name, manifest_text(*manifest)));
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
