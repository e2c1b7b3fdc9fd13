// Seals a run. The source is walked twice, to see what there is and to pack it. Nothing of a run is
// held in memory but a frame, one text, the index of its texts and a sample of its events.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <tuple>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pievt/sealed.h"
#include "store/format/reflect_slim.h"
#include "store/log/fd.h"
#include "store/log/schema_registry.h"
#include "store/log/store_files.h"
#include "store/trust/run_digest.h"
#include "store/trust/sealed_dictionary.h"
#include "store/trust/sealed_run.h"
#include "store/trust/sealed_schemas.h"
#include "store/trust/sealed_writer.h"

namespace pievt {
namespace {

using sealed::Channel;
using sealed::Directory;
using sealed::EventPacker;
using sealed::IndexEntry;
using sealed::Section;
using sealed::Writer;

// The highest level packs about a megabyte a second, and where there is much it gains little: of
// ten megabytes of events, packed with the same dictionary, level 10 makes 3.5 % more in a
// sixteenth of the time. Texts and output, in larger frames, are given a little more.
constexpr int thorough_level = 19, events_level = 10, bulk_level = 12;
constexpr std::uint64_t thorough_bytes_max = 4u << 20;

std::string bytes_of(const schema::Digest& digest) {
  return {reinterpret_cast<const char*>(&digest), sizeof(digest)};
}

class Sealing {
 public:
  Sealing(const RunSource& source, const SealOptions& options)
      : source_(source), options_(options), schemas_(source) {}

  /// What there is, without its texts and output.
  Status look();
  Status write(Writer& writer);
  const Directory& directory() const { return directory_; }
  const RunState& state() const { return state_; }
  /// zstd's level for texts and output.
  int level() const {
    return text_bytes_ + output_bytes_ <= thorough_bytes_max ? thorough_level : bulk_level;
  }

 private:
  Status see(const EventView& event);
  void see_chunk(const EventView& event, const schema::OutputCaptured& captured);
  Status write_schemas(Writer& writer);
  Status write_texts(Writer& writer);
  Status write_output(Writer& writer);
  Status write_channel(Writer& writer, Channel& channel);
  Status write_events(Writer& writer);
  Status write_index(Writer& writer);
  void tell(std::uint64_t bytes) {
    done_ += bytes;
    if (options_.progress) options_.progress(done_, std::max(done_, text_bytes_ + output_bytes_));
  }

  const RunSource& source_;
  const SealOptions& options_;
  sealed::SourceSchemas schemas_;
  Directory directory_;
  RunState state_;
  RunDigest events_digest_;
  sealed::StampsDigest stamps_digest_;
  sealed::DictionaryChoice dictionary_;
  std::map<std::uint64_t, std::set<std::int64_t>> tags_;  ///< by what schema_hash() says
  std::set<std::uint32_t> actors_;
  std::vector<schema::BlobRef> texts_;  ///< each once, as events come to them
  std::set<std::string> known_texts_;
  std::vector<IndexEntry> index_;
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint8_t>, Channel> channels_;
  std::uint64_t event_bytes_ = 0, text_bytes_ = 0, output_bytes_ = 0,
                done_ = 0;  ///< as events claim, for progress
};

Status Sealing::look() {
  PIEVT_TRY(source_.events([&](const EventView& event) { return see(event); }));
  if (directory_.events == 0) return Error{Errc::invalid, "a run without events cannot be sealed"};
  directory_.pievt_version = options_.pievt_version;
  directory_.run_id = source_.run_id();
  directory_.origin = source_.origin();
  directory_.events_digest = events_digest_.finish();
  directory_.stamps_digest = stamps_digest_.finish();
  for (auto& [key, channel] : channels_) directory_.channels.push_back(std::move(channel));
  for (const std::uint32_t number : actors_)
    directory_.actors.push_back(PIEVT_TRY(source_.actor(number)));
  return {};
}

Status Sealing::see(const EventView& event) {
  ++directory_.events;
  if (event.revision().value != directory_.events)
    return Error{Errc::corrupt, fmt::format("event #{} follows #{}: see pievt verify",
                                            event.revision().value, directory_.events - 1)};
  events_digest_.add(event);
  stamps_digest_.add(event);
  dictionary_.see(event);
  event_bytes_ += event.body.size();
  apply(state_, event);
  actors_.insert(event.stamp->actor());
  const std::uint64_t hash = PIEVT_TRY(source_.schema_hash(event));
  tags_[hash].insert(static_cast<std::int64_t>(event.type()));
  const std::uint64_t name = hash != 0 ? hash : embedded_schema().short_hash;
  if (directory_.spans.empty() || directory_.spans.back().name != name)
    directory_.spans.push_back({event.revision().value, name});
  for (const FoundBlob& found : PIEVT_TRY(schemas_.texts(event))) {
    if (!known_texts_.insert(bytes_of(found.ref.digest())).second) continue;
    texts_.push_back(found.ref);
    text_bytes_ += found.ref.size();
  }
  if (const auto* captured = event.envelope->payload_as_OutputCaptured())
    see_chunk(event, *captured);
  return {};
}

void Sealing::see_chunk(const EventView& event, const schema::OutputCaptured& captured) {
  const std::uint32_t job = event.head().job(), attempt = event.head().attempt();
  const auto number = static_cast<std::uint8_t>(captured.channel());
  Channel& channel = channels_[{job, attempt, number}];
  channel.job = job;
  channel.attempt = attempt;
  channel.channel = number;
  ++channel.told;
  channel.chunks.push_back({captured.chunk(), 0, event.revision().value});
  output_bytes_ += captured.size();
}

Status Sealing::write(Writer& writer) {
  PIEVT_TRY(write_schemas(writer));
  PIEVT_TRY(write_texts(writer));
  PIEVT_TRY(write_output(writer));
  PIEVT_TRY(write_events(writer));
  PIEVT_TRY(write_index(writer));
  return writer.finish(std::move(directory_));
}

Status Sealing::write_schemas(Writer& writer) {
  for (const auto& [hash, tags] : tags_) {
    const reflect::Schema* schema = PIEVT_TRY(schemas_.schema(hash));
    const std::vector<std::byte> slim = reflect::slim_schema(*schema, tags);
    directory_.schemas.push_back({hash != 0 ? hash : embedded_schema().short_hash,
                                  static_cast<std::uint32_t>(slim.size()), sha256(slim)});
    PIEVT_TRY(writer.add(Section::schemas, slim));
  }
  return writer.close_section();
}

Status Sealing::write_texts(Writer& writer) {
  for (const schema::BlobRef& ref : texts_) {
    const Result<std::vector<std::byte>> content = source_.blob(ref);
    tell(ref.size());
    if (!content.ok() && content.error().code == Errc::not_found) {
      ++directory_.texts_missing;
      continue;
    }
    if (!content.ok()) return content.error();
    IndexEntry entry;
    std::memcpy(entry.key.data(), &ref.digest(), entry.key.size());
    entry.address = writer.address();
    entry.size = content->size();
    const Digest digest = sha256(*content);
    std::memcpy(entry.digest.data(), digest.data(), entry.digest.size());
    index_.push_back(entry);
    ++directory_.texts;
    directory_.text_bytes += entry.size;
    PIEVT_TRY(writer.add(Section::texts, *content));
  }
  return writer.close_section();
}

Status Sealing::write_output(Writer& writer) {
  for (Channel& channel : directory_.channels) {
    channel.address = writer.address();
    PIEVT_TRY(write_channel(writer, channel));
  }
  return writer.close_section();
}

Status Sealing::write_channel(Writer& writer, Channel& channel) {
  const OutputKey key{source_.run_id(), channel.job, channel.attempt,
                      static_cast<schema::OutputChannel>(channel.channel)};
  Sha256 sum;
  std::size_t chunk = 0;
  Status written;
  const auto take = [&](std::span<const std::byte> bytes) -> Status {
    if (chunk >= channel.chunks.size()) return Error{Errc::corrupt, "too many chunks of output"};
    channel.chunks[chunk++].size = static_cast<std::uint32_t>(bytes.size());
    sum.update(bytes);
    tell(bytes.size());
    written = writer.add(Section::output, bytes);
    return written;
  };
  const AttemptState* attempt = find_attempt(state_, channel.job, channel.attempt);
  // Of an attempt that nobody declared the source cannot tell where its output is.
  const AttemptState unknown;
  const Result<std::uint64_t> read =
      source_.output(key, attempt != nullptr ? *attempt : unknown, take);
  if (!written.ok()) return written;
  // What was redacted, or never arrived, is missing here too; what comes behind it leans on it.
  directory_.chunks_missing += channel.told - chunk;
  channel.chunks.resize(chunk);
  channel.digest = sum.finish();
  if (!read.ok() && chunk == channel.told) return read.error();
  return {};
}

Status Sealing::write_events(Writer& writer) {
  const int level = event_bytes_ <= thorough_bytes_max ? thorough_level : events_level;
  const std::vector<std::byte> dictionary = PIEVT_TRY(dictionary_.choose());
  if (!dictionary.empty()) PIEVT_TRY(writer.add_frame(Section::dictionary, dictionary));
  FrameCompressor compressor(level, dictionary);
  EventPacker packer;
  const auto close = [&]() -> Status {
    directory_.event_counts.push_back(packer.count());
    return writer.add_frame(Section::events, packer.take(), &compressor);
  };
  PIEVT_TRY(source_.events([&](const EventView& event) -> Status {
    packer.add(event);
    return packer.full() ? close() : Status();
  }));
  return packer.count() > 0 ? close() : Status();
}

Status Sealing::write_index(Writer& writer) {
  std::ranges::sort(index_, {}, &IndexEntry::key);
  std::vector<std::byte> bytes;
  for (const IndexEntry& entry : index_) sealed::put_entry(bytes, entry);
  PIEVT_TRY(writer.add(Section::index, bytes));
  return writer.close_section();
}

using ExistingFile = SealOptions::Existing;

// A file that is in the way is not found out about after minutes of work only.
Status check_place(const RunSource& source, const std::filesystem::path& file,
                   const SealOptions& options) {
  struct stat facts {};
  if (::lstat(file.c_str(), &facts) != 0) return {};
  if (options.existing == ExistingFile::replace && S_ISREG(facts.st_mode)) return {};
  if (options.existing == ExistingFile::accept && S_ISREG(facts.st_mode)) {
    const auto there = open_sealed(file);
    if (there.ok() && (*there)->run_id() == source.run_id()) return {};
  }
  return Error{Errc::invalid, fmt::format("{} is there already{}", file.string(),
                                          S_ISREG(facts.st_mode)
                                              ? "; name another file, or say --force to replace it"
                                              : " and is no file; name another one")};
}

// Whether the file is there already, as it was just written beside it. Its name need not be durable
// yet: whoever gave it may have been cut off before.
Result<bool> is_there_already(const std::filesystem::path& file, const std::string& digest) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return false;
  const auto found = sha256_of_file(file);
  if (!found.ok() || *found != digest) return false;
  if (::fsync(fd.get()) != 0) return os_error(fmt::format("cannot sync {}", file.string()), errno);
  PIEVT_TRY(sync_directory(std::filesystem::absolute(file).parent_path()));
  return true;
}

}  // namespace

Status check_ended(const RunState& run) {
  const bool ours = run.ruleset.empty() || run.ruleset.starts_with("pievt-");
  if (run.phase == state::RunPhase::finished || !ours) return {};
  return Error{Errc::invalid_transition,
               fmt::format("run {} has not ended, and what is sealed does not change any more; "
                           "wait for its end, or end it with: pievt stop {}",
                           run.run_id, run.run_id)};
}

Result<SealReport> seal(const RunSource& source, const std::filesystem::path& file,
                        const SealOptions& options) {
  PIEVT_TRY(check_place(source, file, options));
  Sealing sealing(source, options);
  PIEVT_TRY(sealing.look());
  PIEVT_TRY(check_ended(sealing.state()));
  const Digest events = sealing.directory().events_digest;
  Writer writer = PIEVT_TRY(Writer::create(file, sealing.level()));
  PIEVT_TRY(sealing.write(writer));
  // What counts is what can be read, not what was meant to be written.
  const VerifyReport verified = PIEVT_TRY(verify_sealed(writer.temporary()));
  const auto again = PIEVT_TRY(open_sealed(writer.temporary()));
  const bool same = again->facts().events_sha256 == hex(events);
  if (verified.verdict == Verdict::damaged || !same)
    return Error{
        Errc::corrupt,
        fmt::format("what was read back is not what was sealed ({}); nothing is left of it",
                    verified.findings.empty() ? "other events" : verified.findings.front().what)};
  const auto digest = PIEVT_TRY(sha256_of_file(writer.temporary()));
  SealReport report{again->facts(), digest};
  if (options.existing == ExistingFile::accept && PIEVT_TRY(is_there_already(file, digest)))
    return report;
  PIEVT_TRY(writer.publish(options.existing == ExistingFile::replace));
  return report;
}

}  // namespace pievt
