// The public face of the log: every member function in a few lines, each handing on to the file
// that knows how.
#include "pievt/log.h"

#include <fmt/format.h>

#include "store/format/hash.h"
#include "store/format/keys.h"
#include "store/log/log_impl.h"
#include "store/log/schema_registry.h"
#include "store/log/stream_table.h"

namespace pievt {

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Log::Log(Log&&) noexcept = default;

Log& Log::operator=(Log&& other) noexcept {
  if (this == &other) return *this;
  static_cast<void>(close());
  impl_ = std::move(other.impl_);
  return *this;
}

Log::~Log() {
  static_cast<void>(close());
}

Status Log::close() {
  if (impl_ == nullptr) return {};
  const Status closed = impl_->close();
  impl_.reset();
  return closed;
}

Result<Appended> Log::append(const EncodedAppend& append) {
  return impl_->append(append.impl());
}

Result<Appended> Log::append(std::span<const StreamEvents> streams, const AppendOptions& options) {
  const EncodedAppend encoded = PIEVT_TRY(EncodedAppend::encode(streams, options));
  return append(encoded);
}

Result<Appended> Log::append(std::string_view stream, Expected expected,
                             std::vector<NewEvent> events, const AppendOptions& options) {
  const StreamEvents one{std::string(stream), expected, std::move(events)};
  return append(std::span(&one, 1), options);
}

Sequence Log::head() const {
  static_cast<void>(impl_->see_own_appends());  // the next look tells what is wrong
  return {impl_->committed.load(std::memory_order_acquire)};
}

Result<Revision> Log::stream_head(std::string_view stream) const {
  if (WriterRole* role = impl_->writer()) return role->stream_head(stream);
  PIEVT_TRY(impl_->see_own_appends());
  const Rocks* index = PIEVT_TRY(impl_->index());
  const auto head = PIEVT_TRY(find_stream(*index, stream));
  return Revision{head ? head->revision : 0};
}

Result<std::vector<std::string>> Log::streams() const {
  PIEVT_TRY(impl_->see_own_appends());
  std::vector<std::string> names;
  auto cursor = PIEVT_TRY(impl_->index())->cursor(Family::index);
  for (cursor.seek("n"); cursor.valid() && cursor.key().starts_with('n'); cursor.next()) {
    names.emplace_back(cursor.value());
  }
  PIEVT_TRY(cursor.status());
  return names;
}

Result<std::string> Log::stream_name(std::uint32_t number) const {
  const Rocks* index = PIEVT_TRY(impl_->index());
  return name_of_stream(*index, number);
}

Status Log::refresh() {
  return impl_->refresh();
}

Result<schema::BlobRef> Log::put_blob(std::span<const std::byte> content, schema::BlobKind kind) {
  return impl_->blobs().put(content, kind);
}

Result<schema::BlobRef> Log::put_blob(std::string_view text, schema::BlobKind kind) {
  return put_blob(std::as_bytes(std::span(text)), kind);
}

schema::Digest Log::keyed_digest(std::string_view content) const {
  return to_schema(impl_->blobs().digest_of(std::as_bytes(std::span(content))));
}

Result<std::vector<std::byte>> Log::get_blob(const schema::BlobRef& ref) const {
  auto content = impl_->blobs().get(ref);
  if (!content.ok() && content.error().code == Errc::not_found && impl_->is_client()) {
    // Perhaps it was put a moment ago.
    PIEVT_TRY(impl_->refresh());
    return impl_->blobs().get(ref);
  }
  return content;
}

void get_blobs(const Log& log, std::span<const schema::BlobRef> refs, const BlobSink& sink) {
  log.impl().blobs().get_many(
      refs, [&](std::size_t at, const Result<std::span<const std::byte>>& content) {
        if (content.ok() || content.error().code != Errc::not_found) return sink(at, content);
        // In a process that is not the writer it may have been put a moment ago.
        const Result<std::vector<std::byte>> again = log.get_blob(refs[at]);
        if (!again.ok()) return sink(at, again.error());
        sink(at, std::span<const std::byte>(*again));
      });
}

Status Log::save_checkpoint(std::string_view name, const Checkpoint& checkpoint) {
  std::string value;
  format::put_u64(value, checkpoint.at.value);
  format::put_u32(value, static_cast<std::uint32_t>(checkpoint.identity.size()));
  value += checkpoint.identity;
  value.append(reinterpret_cast<const char*>(checkpoint.state.data()), checkpoint.state.size());
  // A verifier sees that a damaged state is still a state, not that its numbers are others.
  std::string stored;
  format::put_u32(stored, crc32c(std::as_bytes(std::span(value))));
  stored += value;
  return impl_->put_value(Family::projections, name, stored);
}

Result<std::optional<Checkpoint>> Log::load_checkpoint(std::string_view name) const {
  const auto stored = PIEVT_TRY(impl_->rocks().get(Family::projections, name));
  if (!stored) return std::optional<Checkpoint>();
  const auto crc = format::get_u32(*stored);
  const auto at = format::get_u64(*stored, 4);
  const auto size = format::get_u32(*stored, 12);
  // A damaged one is derived state, so it is not an error: as if there were none.
  if (!crc || !at || !size || *size > stored->size() - 16) return std::optional<Checkpoint>();
  const auto bytes = std::as_bytes(std::span(*stored));
  if (crc32c(bytes.subspan(4)) != *crc) return std::optional<Checkpoint>();
  Checkpoint checkpoint{stored->substr(16, *size), {*at}, {}};
  const auto state = bytes.subspan(16 + *size);
  checkpoint.state.assign(state.begin(), state.end());
  return std::optional(std::move(checkpoint));
}

Result<std::vector<std::byte>> Log::stored_schema(std::uint64_t short_hash) const {
  return load_schema(impl_->rocks(), short_hash);
}

LogInfo Log::info() const {
  return {impl_->place.identity.id,
          impl_->place.identity.format_version,
          impl_->place.directory,
          impl_->place.mode,
          head(),
          impl_->writer() != nullptr || impl_->writer_alive,
          impl_->is_client(),
          impl_->missing};
}

}  // namespace pievt
