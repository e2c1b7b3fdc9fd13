#include "store/trust/sealed_run.h"

#include <algorithm>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "pievt/limits.h"
#include "store/format/reflect_slim.h"
#include "store/log/schema_registry.h"

namespace pievt {
namespace sealed {

FileRun::FileRun(File file, Revision at) : file_(std::move(file)) {
  const Directory& directory = file_.directory();
  head_ = {directory.events};
  if (at.value != 0) head_ = std::min(head_, at);
  std::uint64_t next = 1;
  for (const std::uint32_t count : directory.event_counts) {
    first_.push_back(next);
    next += count;
  }
}

Status FileRun::begin() {
  const Directory& directory = file_.directory();
  facts_ = {directory.run_id,
            directory.origin,
            directory.pievt_version,
            directory.events,
            hex(directory.events_digest),
            directory.texts,
            directory.text_bytes,
            file_.bytes_of(Section::output),
            directory.texts_missing,
            directory.chunks_missing,
            file_.bytes(),
            0,
            {}};
  for (const Frame& frame : directory.frames) facts_.raw_bytes += frame.raw;
  const std::uint64_t size = file_.bytes_of(Section::manifest);
  const auto manifest = PIEVT_TRY(file_.read(Section::manifest, 0, size));
  facts_.manifest.assign(reinterpret_cast<const char*>(manifest.data()), manifest.size());
  return {};
}

Result<const EventPage*> FileRun::page(std::size_t number) const {
  if (page_number_ == number) return &page_;
  const auto content = PIEVT_TRY(file_.frame(file_.frames_of(Section::events)[number]));
  page_number_ = SIZE_MAX;
  page_ =
      PIEVT_TRY(EventPage::parse(*content, first_[number], file_.directory().event_counts[number]));
  page_number_ = number;
  return &page_;
}

Status FileRun::events(const EventSink& sink) const {
  for (std::size_t i = 0; i < first_.size() && first_[i] <= head_.value; ++i) {
    // Not the page that is kept: a sink may ask for an event of its own.
    const auto content = PIEVT_TRY(file_.frame(file_.frames_of(Section::events)[i]));
    const EventPage page =
        PIEVT_TRY(EventPage::parse(*content, first_[i], file_.directory().event_counts[i]));
    for (const EventView& event : page.events) {
      if (event.revision() > head_) return {};
      PIEVT_TRY(sink(event));
    }
  }
  return {};
}

Status FileRun::event(Revision revision, const EventSink& sink) const {
  if (revision.value == 0 || revision > head_)
    return Error{Errc::not_found,
                 fmt::format("there is no event #{}; the run has {}", revision.value, head_.value)};
  const auto after = std::ranges::upper_bound(first_, revision.value);
  const auto number = static_cast<std::size_t>(after - first_.begin()) - 1;
  const EventPage* found = PIEVT_TRY(page(number));
  return sink(found->events[revision.value - first_[number]]);
}

// Who walks over the events asks for texts in any order, and each would unpack some frames of the
// index; so for whoever asks often it is unpacked once.
Result<IndexEntry> FileRun::index_entry(std::uint64_t place) const {
  constexpr std::size_t asked_max = 256, kept_bytes_max = std::size_t{256} << 20;
  const std::uint64_t size = file_.bytes_of(Section::index);
  if (index_.empty() && size <= kept_bytes_max && ++entries_asked_ > asked_max)
    index_ = PIEVT_TRY(file_.read(Section::index, 0, size));
  if (!index_.empty()) {
    return entry_at(
        std::span(index_).subspan(place * index_entry_bytes).first<index_entry_bytes>());
  }
  const auto bytes =
      PIEVT_TRY(file_.read(Section::index, place * index_entry_bytes, index_entry_bytes));
  return entry_at(std::span(bytes).first<index_entry_bytes>());
}

Result<std::optional<IndexEntry>> FileRun::find(const schema::Digest& digest) const {
  decltype(IndexEntry::key) key{};
  std::memcpy(key.data(), &digest, key.size());
  std::uint64_t low = 0, high = file_.bytes_of(Section::index) / index_entry_bytes;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const IndexEntry entry = PIEVT_TRY(index_entry(middle));
    if (entry.key == key) return std::optional(entry);
    if (entry.key < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return std::optional<IndexEntry>();
}

Result<std::vector<std::byte>> FileRun::text(const IndexEntry& entry) const {
  if (entry.size > limits::blob_bytes_max)
    return Error{Errc::corrupt, "a text of the sealed run is larger than any can be"};
  std::vector<std::byte> content = PIEVT_TRY(file_.read(Section::texts, entry.address, entry.size));
  const Digest whole = sha256(content);
  if (!std::ranges::equal(entry.digest, std::span(whole).first(entry.digest.size())))
    return Error{Errc::corrupt, fmt::format("the text {} is not what was sealed", hex(entry.key))};
  return content;
}

Result<std::vector<std::byte>> FileRun::blob(const schema::BlobRef& ref) const {
  const std::optional<IndexEntry> entry = PIEVT_TRY(find(ref.digest()));
  if (!entry)
    return Error{Errc::not_found,
                 "that text is not in the sealed run: it was not there any more "
                 "when the run was sealed"};
  if (entry->size != ref.size())
    return Error{Errc::corrupt, "a text of the sealed run has another size than its event says"};
  return text(*entry);
}

Result<std::uint64_t> FileRun::channel(const Channel& channel, Revision last,
                                       const ByteSink& sink) const {
  std::uint64_t bytes = 0;
  Sha256 sum;
  for (const Chunk& chunk : channel.chunks) {
    if (chunk.revision > last.value) return bytes;
    const auto content =
        PIEVT_TRY(file_.read(Section::output, channel.address + bytes, chunk.size));
    sum.update(content);
    PIEVT_TRY(sink(content));
    bytes += chunk.size;
  }
  const Error broken{Errc::corrupt,
                     fmt::format("{} of job {}, attempt {}, ",
                                 schema::EnumNameOutputChannel(
                                     static_cast<schema::OutputChannel>(channel.channel)),
                                 channel.job, channel.attempt)};
  if (sum.finish() != channel.digest)
    return Error{broken.code, broken.what + "is not what was sealed"};
  if (channel.chunks.size() < channel.told)
    return Error{broken.code, broken.what + fmt::format("was not there from chunk {} on when the "
                                                        "run was sealed",
                                                        channel.chunks.size())};
  return bytes;
}

Result<std::uint64_t> FileRun::output(const OutputKey& key, const AttemptState&,
                                      const ByteSink& sink) const {
  for (const Channel& row : file_.directory().channels) {
    if (row.job == key.job && row.attempt == key.attempt &&
        row.channel == static_cast<std::uint8_t>(key.channel))
      return channel(row, head_, sink);
  }
  return std::uint64_t{0};
}

Result<std::uint64_t> FileRun::schema_hash(const EventView& event) const {
  const auto& spans = file_.directory().spans;
  const auto after =
      std::ranges::upper_bound(spans, event.revision().value, {}, &SchemaSpan::first);
  if (after == spans.begin()) return std::uint64_t{0};
  const std::uint64_t name = std::prev(after)->name;
  return name == embedded_schema().short_hash ? 0 : name;
}

Result<std::vector<std::byte>> FileRun::schema_bytes(const SchemaEntry& entry) const {
  std::uint64_t address = 0;
  for (const SchemaEntry& before : file_.directory().schemas) {
    if (&before == &entry) break;
    address += before.size;
  }
  const auto bytes = PIEVT_TRY(file_.read(Section::schemas, address, entry.size));
  if (sha256(bytes) != entry.digest)
    return Error{Errc::corrupt,
                 fmt::format("the schema {:016x} is not what was sealed", entry.name)};
  return reflect::binary_schema(bytes);
}

Result<std::vector<std::byte>> FileRun::schema(std::uint64_t short_hash) const {
  for (const SchemaEntry& entry : file_.directory().schemas)
    if (entry.name == short_hash) return schema_bytes(entry);
  return Error{Errc::not_found, fmt::format("schema {:016x} is not in this file", short_hash)};
}

Result<Actor> FileRun::actor(std::uint32_t number) const {
  for (const Actor& actor : file_.directory().actors)
    if (actor.number == number) return actor;
  return Actor{number, 0, 0, {}};
}

}  // namespace sealed

bool is_sealed(const std::filesystem::path& file) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(file, failed)) return false;
  std::array<char, sealed::head_bytes> begin{};
  std::ifstream(file, std::ios::binary).read(begin.data(), begin.size());
  const auto bytes = std::as_bytes(std::span(begin));
  return std::ranges::equal(bytes, sealed::head()) || sealed::is_later_head(bytes);
}

Result<std::unique_ptr<SealedRun>> open_sealed(const std::filesystem::path& file, Revision at) {
  auto run = std::make_unique<sealed::FileRun>(PIEVT_TRY(sealed::File::open(file)), at);
  if (const Status begun = run->begin(); !begun.ok()) return run->file().here(begun.error());
  return std::unique_ptr<SealedRun>(std::move(run));
}

}  // namespace pievt
