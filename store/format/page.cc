#include "store/format/page.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include <fmt/format.h>

#include "store/format/codec.h"

namespace pievt::format {
namespace {

Error bad_page(const PageHeader* header, std::string_view what) {
  return {Errc::corrupt, header == nullptr
                             ? fmt::format("page: {}", what)
                             : fmt::format("page of @{}: {}", header->last_sequence, what)};
}

// A cursor that only hands out what is there.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <class T>
  std::span<const T> take(std::size_t count) {
    if (count > rest_.size() / sizeof(T)) return {};
    const auto* first = reinterpret_cast<const T*>(rest_.data());
    rest_ = rest_.subspan(count * sizeof(T));
    return {first, count};
  }
  std::span<const std::byte> rest() const { return rest_; }

 private:
  std::span<const std::byte> rest_;
};

// Appends the next segment to the page. It is filled where it stays: handed back as a value it is
// moved twice right after it was written in pieces, which the processor has to wait for.
Status add_segment(Cursor& page, PageView& to) {
  const PageHeader* const header = to.header;
  const auto commit = page.take<CommitHeader>(1);
  if (commit.empty()) return bad_page(header, "a commit header is cut off");
  const CommitHeader& head = commit.front();
  if (head.segment_bytes % 8 != 0 || head.segment_bytes < sizeof(CommitHeader)) {
    return bad_page(header, "a commit has an impossible size");
  }
  const auto rest = page.take<std::byte>(head.segment_bytes - sizeof(CommitHeader));
  if (rest.size() != head.segment_bytes - sizeof(CommitHeader)) {
    return bad_page(header, "a commit is longer than its page");
  }
  Cursor inside(rest);
  SegmentView& view = to.segments.emplace_back();
  view.header = &head;
  view.streams = inside.take<StreamEntry>(head.stream_count);
  view.stamps = inside.take<schema::Stamp>(head.event_count);
  if (view.streams.size() != head.stream_count || view.stamps.size() != head.event_count) {
    return bad_page(header, "a commit's stamps do not fit it");
  }
  std::uint64_t events = 0;
  for (const StreamEntry& stream : view.streams) events += stream.event_count;
  if (events != head.event_count) {
    return bad_page(header, "a commit's streams do not add up to its events");
  }
  view.bodies = inside.rest();
  std::size_t bodies = 0;
  for (const schema::Stamp& stamp : view.stamps) bodies += padded(stamp.body_size());
  if (bodies != view.bodies.size()) return bad_page(header, "a commit's bodies do not fit it");
  return {};
}

Status check_sequences(const PageView& page) {
  const std::uint64_t first = page.header->first_sequence;
  std::uint64_t count = 0;
  for (const SegmentView& segment : page.segments) {
    if (segment.header->first_sequence != first + count || segment.header->event_count == 0) {
      return bad_page(page.header, "sequences of its commits do not follow each other");
    }
    count += segment.header->event_count;
  }
  // Subtracted, not added: near the end of the numbers a sum would wrap and agree with nonsense.
  if (first == 0 || page.header->last_sequence < first ||
      page.header->last_sequence - first != count - 1) {
    return bad_page(page.header, "it does not hold the events its header names");
  }
  return {};
}

// A page of lost events is its header and nothing else.
Status check_lost(const PageView& page) {
  const PageHeader& header = *page.header;
  const bool right = header.segment_count == 0 && header.page_bytes == sizeof(PageHeader) &&
                     header.first_sequence != 0 && header.first_sequence <= header.last_sequence;
  if (!right) return bad_page(&header, "it says that its events are lost, and has some");
  return {};
}

Digest chain_after(const Digest& before, const CommitHeader& header,
                   std::span<const StreamEntry> streams, std::span<const schema::Stamp> stamps) {
  Sha256 hash;
  hash.update(before);
  hash.update(std::as_bytes(std::span(&header, 1)).first(offsetof(CommitHeader, chain)));
  hash.update(std::as_bytes(streams));
  hash.update(std::as_bytes(stamps));
  return hash.finish();
}

void put_header(std::span<std::byte> page, PageHeader header) {
  header.magic = page_magic;
  header.version = page_version;
  header.page_bytes = static_cast<std::uint32_t>(page.size());
  std::memcpy(page.data(), &header, sizeof(header));
  header.crc32c = crc32c(std::span<const std::byte>(page).subspan(offsetof(PageHeader, version)));
  std::memcpy(page.data(), &header, sizeof(header));
}

}  // namespace

Result<PageView> PageView::parse(std::span<const std::byte> bytes) {
  PageView page;
  PIEVT_TRY(page.load(bytes));
  return page;
}

Status PageView::load(std::span<const std::byte> bytes) {
  PIEVT_ASSERT(reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 == 0);
  header = nullptr;
  segments.clear();
  if (bytes.size() < sizeof(PageHeader)) return bad_page(nullptr, "shorter than its header");
  header = reinterpret_cast<const PageHeader*>(bytes.data());
  if (header->magic != page_magic) return bad_page(nullptr, "does not begin as a page does");
  if (header->version > page_version) {
    return Error{Errc::too_new,
                 fmt::format("page version {} is later than {}, the latest this pievt knows; "
                             "use a newer pievt",
                             header->version, page_version)};
  }
  const std::uint32_t crc = crc32c(bytes.subspan(offsetof(PageHeader, version)));
  if (crc != header->crc32c) {
    return bad_page(header, fmt::format("crc32c {:08x}, expected {:08x}", crc, header->crc32c));
  }
  if (header->page_bytes != bytes.size()) return bad_page(header, "size differs from its header");
  if (is_lost()) return check_lost(*this);
  // Before memory is taken for them: the count may be any number.
  if (header->segment_count == 0 || header->segment_count > bytes.size() / sizeof(CommitHeader)) {
    return bad_page(header, "it has an impossible number of commits");
  }
  segments.reserve(header->segment_count);
  Cursor cursor(bytes.subspan(sizeof(PageHeader)));
  for (std::uint32_t i = 0; i < header->segment_count; ++i) {
    PIEVT_TRY(add_segment(cursor, *this));
  }
  if (!cursor.rest().empty()) return bad_page(header, "bytes are left over behind its last commit");
  return check_sequences(*this);
}

Status PageView::check_chain(Digest& chain) const {
  for (const SegmentView& segment : segments) {
    if (sha256(segment.bodies) != segment.header->body_hash) {
      return bad_page(header, fmt::format("the bodies of @{} and after are not what was hashed",
                                          segment.header->first_sequence));
    }
    if (chain_after(chain, *segment.header, segment.streams, segment.stamps) !=
        segment.header->chain) {
      return bad_page(header,
                      fmt::format("the chain breaks at @{}", segment.header->first_sequence));
    }
    chain = segment.header->chain;
  }
  return {};
}

Status collect_events(const PageView& page, std::optional<std::uint32_t> stream,
                      std::vector<EventView>& out) {
  for (const SegmentView& segment : page.segments) {
    const std::byte* body = segment.bodies.data();
    EventView event;
    event.sequence = {segment.header->first_sequence};
    event.id = {{segment.header->append_id}, segment.header->first_index};
    for (const schema::Stamp& stamp : segment.stamps) {
      if (!stream || stamp.stream() == *stream) {
        event.stamp = &stamp;
        event.body = {body, stamp.body_size()};
        event.envelope = verified_envelope(event.body);
        if (event.envelope == nullptr) {
          return bad_page(page.header,
                          fmt::format("the body of @{} is not an event", event.sequence.value));
        }
        out.push_back(event);
      }
      body += padded(stamp.body_size());
      ++event.sequence.value;
      ++event.id.index;
    }
  }
  return {};
}

SegmentSpace PageBuilder::add(const CommitHeader& header) {
  PIEVT_ASSERT(has_room(header.segment_bytes));
  last_ = page_.size();
  page_.resize(last_ + header.segment_bytes);
  ++segments_;
  std::memcpy(page_.data() + last_, &header, sizeof(header));
  std::byte* const streams = page_.data() + last_ + sizeof(header);
  std::byte* const stamps = streams + header.stream_count * sizeof(StreamEntry);
  std::byte* const bodies = stamps + header.event_count * sizeof(schema::Stamp);
  return {{reinterpret_cast<StreamEntry*>(streams), header.stream_count},
          {reinterpret_cast<schema::Stamp*>(stamps), header.event_count},
          {bodies, page_.data() + page_.size()}};
}

CommitHeader& PageBuilder::last_header() {
  return *reinterpret_cast<CommitHeader*>(page_.data() + last_);
}

void PageBuilder::close(Digest& chain) {
  CommitHeader& header = last_header();
  const auto* const streams = reinterpret_cast<const StreamEntry*>(&header + 1);
  const auto* const stamps = reinterpret_cast<const schema::Stamp*>(streams + header.stream_count);
  chain = chain_after(chain, header, {streams, header.stream_count}, {stamps, header.event_count});
  header.chain = chain;
}

std::span<const std::byte> PageBuilder::finish(PageHeader header) {
  header.segment_count = segments_;
  put_header(page_, header);
  return page_;
}

std::vector<std::byte> build_lost_page(PageHeader header) {
  std::vector<std::byte> page(sizeof(PageHeader));
  header.flags |= page_flag_lost;
  header.segment_count = 0;
  put_header(page, header);
  return page;
}

}  // namespace pievt::format
