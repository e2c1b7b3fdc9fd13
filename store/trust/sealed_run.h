// A sealed file as a RunSource, with the inner view that verifying it needs.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "pievt/sealed.h"
#include "store/trust/sealed_events.h"
#include "store/trust/sealed_file.h"

namespace pievt::sealed {

class FileRun final : public SealedRun {
 public:
  FileRun(File file, Revision at);

  Status begin();

  const std::string& run_id() const override { return file_.directory().run_id; }
  const std::string& origin() const override { return file_.directory().origin; }
  Revision head() const override { return head_; }
  const SealedFacts& facts() const override { return facts_; }

  Status events(const EventSink& sink) const override;
  Status event(Revision revision, const EventSink& sink) const override;
  Result<std::vector<std::byte>> blob(const schema::BlobRef& ref) const override;
  Result<std::uint64_t> output(const OutputKey& key, const AttemptState& attempt,
                               const ByteSink& sink) const override;
  Result<std::uint64_t> schema_hash(const EventView& event) const override;
  Result<std::vector<std::byte>> schema(std::uint64_t short_hash) const override;
  Result<Actor> actor(std::uint32_t number) const override;

  const File& file() const { return file_; }
  /// The text an entry of the index leads to. corrupt: it is not what its digest says.
  Result<std::vector<std::byte>> text(const IndexEntry& entry) const;
  Result<IndexEntry> index_entry(std::uint64_t place) const;
  /// The binary schema of an entry, also of this program's own.
  Result<std::vector<std::byte>> schema_bytes(const SchemaEntry& entry) const;
  /// One channel, chunk by chunk, of events up to `last`. As RunSource::output.
  Result<std::uint64_t> channel(const Channel& channel, Revision last, const ByteSink& sink) const;

 private:
  Result<const EventPage*> page(std::size_t number) const;
  Result<std::optional<IndexEntry>> find(const schema::Digest& digest) const;

  File file_;
  Revision head_;
  SealedFacts facts_;
  std::vector<std::uint64_t> first_;  ///< revision of each frame of events
  mutable std::size_t page_number_ = SIZE_MAX;
  mutable EventPage page_;
  mutable std::size_t entries_asked_ = 0;
  mutable std::vector<std::byte> index_;  ///< all of it, once many were asked for
};

}  // namespace pievt::sealed
