// Is a sealed run what was sealed? Every frame against its digest, then everything that the frames
// hold against what events and directory say of it. What a writer reads back before a file gets its
// name, and what `pievt verify FILE` says.
#include <array>
#include <fstream>
#include <set>

#include <fmt/format.h>

#include "pievt/version.h"
#include "store/trust/run_digest.h"
#include "store/trust/sealed_run.h"
#include "store/trust/sealed_schemas.h"

namespace pievt {
namespace {

using sealed::Channel;
using sealed::Directory;
using sealed::FileRun;
using sealed::IndexEntry;
using sealed::Section;

enum class Question : std::uint8_t { frames, schemas, events, texts, output, manifest };

VerifyReport empty_report() {
  VerifyReport report;
  report.checks = {
      {"frames", "every frame is what was written", 0, 0},
      {"schemas", "the schemas of all events are there and can be read", 0, 0},
      {"events", "events are those that were sealed, and fit their schemas", 0, 0},
      {"texts", "texts that events refer to are there and unchanged", 0, 0},
      {"output", "captured output is there and unchanged", 0, 0},
      {"manifest", "the manifest says what is in the file", 0, 0},
  };
  return report;
}

class Verifier {
 public:
  Verifier(const FileRun& run, const std::function<void(std::uint64_t, std::uint64_t)>& progress)
      : run_(run), progress_(progress), report_(empty_report()) {}

  VerifyReport verify() && {
    check_frames();
    check_schemas();
    check_events();
    check_texts();
    check_output();
    check_manifest();
    return std::move(report_);
  }

 private:
  const Directory& directory() const { return run_.file().directory(); }

  void examined(Question question) { ++report_.checks[place(question)].examined; }
  static std::size_t place(Question question) { return static_cast<std::size_t>(question); }

  void report(Question question, Severity severity, const std::string& what,
              std::uint64_t revision = 0) {
    VerifyCheck& check = report_.checks[place(question)];
    ++check.findings;
    ++report_.findings_total;
    const Verdict verdict = severity == Severity::damaged ? Verdict::damaged : Verdict::incomplete;
    report_.verdict = std::max(report_.verdict, verdict);
    if (report_.findings.size() < findings_listed_max)
      report_.findings.push_back({check.name, severity, what, {}, {}, {}, {revision}});
  }
  void damaged(Question question, const std::string& what, std::uint64_t revision = 0) {
    report(question, Severity::damaged, what, revision);
  }

  void check_frames() {
    std::uint64_t all = 0, done = 0;
    for (const sealed::Frame& frame : directory().frames) all += frame.stored;
    for (std::size_t i = 0; i < directory().frames.size(); ++i) {
      examined(Question::frames);
      if (const auto content = run_.file().frame(i); !content.ok())
        damaged(Question::frames, content.error().what);
      done += directory().frames[i].stored;
      if (progress_) progress_(done, all);
    }
  }

  void check_schemas() {
    for (const sealed::SchemaEntry& entry : directory().schemas) {
      examined(Question::schemas);
      const auto bytes = run_.schema_bytes(entry);
      if (!bytes.ok()) {
        damaged(Question::schemas, bytes.error().what);
      } else if (const auto loaded = reflect::Schema::load(*bytes); !loaded.ok()) {
        damaged(Question::schemas, loaded.error().what);
      }
    }
  }

  void check_events() {
    RunDigest events;
    sealed::StampsDigest stamps;
    sealed::SourceSchemas schemas(run_);
    const Status walked = run_.events([&](const EventView& event) -> Status {
      examined(Question::events);
      events.add(event);
      stamps.add(event);
      ++report_.head.value;
      const auto texts = schemas.texts(event);
      if (!texts.ok()) {
        damaged(Question::events, texts.error().what, event.revision().value);
        return {};
      }
      for (const FoundBlob& found : *texts) note(found, event);
      return {};
    });
    if (!walked.ok()) return damaged(Question::events, walked.error().what);
    if (events.finish() != directory().events_digest ||
        stamps.finish() != directory().stamps_digest)
      damaged(Question::events, "the events are not those that were sealed");
  }

  void note(const FoundBlob& found, const EventView& event) {
    std::string digest(reinterpret_cast<const char*>(&found.ref.digest()), sizeof(schema::Digest));
    if (!told_.insert(std::move(digest)).second) return;
    const auto text = run_.blob(found.ref);
    if (text.ok()) {
      ++found_;
    } else if (text.error().code == Errc::not_found) {
      ++missing_;
      report(Question::texts, Severity::missing, found.field + ": " + text.error().what,
             event.revision().value);
    } else {
      damaged(Question::texts, found.field + ": " + text.error().what, event.revision().value);
    }
  }

  // Also those that no event leads to are what the index says.
  void check_texts() {
    const std::uint64_t entries = run_.file().bytes_of(Section::index) / sealed::index_entry_bytes;
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i < entries; ++i) {
      examined(Question::texts);
      const auto entry = run_.index_entry(i);
      if (!entry.ok()) return damaged(Question::texts, entry.error().what);
      bytes += entry->size;
    }
    const bool same = entries == directory().texts && bytes == directory().text_bytes &&
                      entries * sealed::index_entry_bytes == run_.file().bytes_of(Section::index) &&
                      missing_ == directory().texts_missing && found_ == entries;
    if (!same && report_.verdict != Verdict::damaged)
      damaged(Question::texts, "the texts are not those that were sealed");
  }

  void check_output() {
    std::uint64_t missing = 0;
    for (const Channel& channel : directory().channels) {
      examined(Question::output);
      const auto read = run_.channel(channel, run_.head(),
                                     [](std::span<const std::byte>) -> Status { return {}; });
      const std::uint64_t lacks = channel.told - channel.chunks.size();
      missing += lacks;
      if (read.ok()) continue;
      report(Question::output, lacks > 0 ? Severity::missing : Severity::damaged,
             read.error().what);
    }
    if (missing != directory().chunks_missing)
      damaged(Question::output, "the output is not what was sealed");
  }

  // A later version may say more in it.
  void check_manifest() {
    examined(Question::manifest);
    const bool ours = directory().pievt_version == version;
    if (ours && run_.facts().manifest != sealed::manifest_of(directory()))
      damaged(Question::manifest, "the manifest is not what is in the file");
  }

  const FileRun& run_;
  const std::function<void(std::uint64_t, std::uint64_t)>& progress_;
  VerifyReport report_;
  std::set<std::string> told_;
  std::uint64_t found_ = 0, missing_ = 0;
};

}  // namespace

Result<VerifyReport> verify_sealed(
    const std::filesystem::path& file,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) {
  FileRun run(PIEVT_TRY(sealed::File::open(file)), {});
  if (const Status begun = run.begin(); !begun.ok()) return run.file().here(begun.error());
  return Verifier(run, progress).verify();
}

Result<std::string> sha256_of_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return os_error(fmt::format("cannot read {}", file.string()), errno);
  Sha256 sum;
  std::vector<char> piece(256u << 10);
  while (in) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    sum.update(std::as_bytes(std::span(piece).first(static_cast<std::size_t>(in.gcount()))));
  }
  if (in.bad()) return os_error(fmt::format("cannot read {}", file.string()), errno);
  return hex(sum.finish());
}

}  // namespace pievt
