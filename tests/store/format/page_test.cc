// A page comes back as it was built, and anything else that may lie in its place is an error: every
// flipped bit, every cut, and headers that lie with a right checksum.
#include "store/format/page.h"

#include <cstring>
#include <functional>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/format/codec.h"
#include "tests/store/format/built_page.h"

namespace pievt::format {
namespace {

using testing::HasSubstr;

static_assert(offsetof(PageHeader, crc32c) == 4 && offsetof(PageHeader, version) == 8);
static_assert(offsetof(PageHeader, store) == 56);
static_assert(offsetof(CommitHeader, body_hash) == 48 && offsetof(CommitHeader, chain) == 80);
static_assert(alignof(PageHeader) == 8 && alignof(CommitHeader) == 8 && alignof(StreamEntry) == 8);
static_assert(padded(0) == 0 && padded(1) == 8 && padded(8) == 8 && padded(9) == 16);
static_assert(segment_bytes(1, 1, 8) == 112 + 24 + 40 + 8);

constexpr std::uint64_t first_sequence = 41;
constexpr std::uint32_t commits = 3;
constexpr std::uint32_t events_each = 2;

// A page of three commits with two events each, in stream 7, and the memory its bodies live in.
struct Sample {
  std::vector<std::vector<std::byte>> bodies;
  std::vector<SegmentPlan> segments;
  PageHeader header{};
  Digest chain_before{};

  Sample() {
    chain_before[0] = std::byte{9};
    header.first_sequence = first_sequence;
    header.last_sequence = first_sequence + commits * events_each - 1;
    header.schema = 11;
    header.epoch = 3;
    header.store = 77;
    for (std::uint32_t i = 0; i < commits; ++i) add_commit(i);
  }

  std::vector<std::byte> build() {
    Digest chain = chain_before;
    return build_page(header, segments, chain);
  }

 private:
  void add_commit(std::uint32_t number) {
    SegmentPlan plan;
    std::vector<std::byte> encoded;
    for (std::uint32_t i = 0; i < events_each; ++i) {
      schema::RunPausedT paused;
      paused.reason = "commit " + std::to_string(number) + " event " + std::to_string(i);
      const std::size_t size = BodyEncoder().append({std::move(paused)}, encoded);
      plan.stamps.emplace_back(7u, 1u, number * events_each + i + 1, 1000u, 2000u,
                               static_cast<std::uint32_t>(size), 0u);
    }
    plan.streams.push_back({7, events_each, Expected::any().code(), (number + 1) * events_each});
    bodies.push_back(std::move(encoded));
    plan.bodies = bodies.back();
    plan.header.append_id[0] = static_cast<std::byte>(number + 1);
    plan.header.first_sequence = first_sequence + number * events_each;
    plan.header.event_count = events_each;
    plan.header.stream_count = 1;
    plan.header.segment_bytes =
        static_cast<std::uint32_t>(segment_bytes(1, events_each, plan.bodies.size()));
    plan.header.segment_count = 1;
    plan.header.durability = static_cast<std::uint32_t>(Durability::fsync);
    plan.header.body_hash = sha256(plan.bodies);
    segments.push_back(std::move(plan));
  }
};

template <class T>
T read_at(const std::vector<std::byte>& page, std::size_t offset) {
  T value;
  std::memcpy(&value, page.data() + offset, sizeof(T));
  return value;
}

template <class T>
void write_at(std::vector<std::byte>& page, std::size_t offset, const T& value) {
  std::memcpy(page.data() + offset, &value, sizeof(T));
}

void make_checksum_right(std::vector<std::byte>& page) {
  write_at(page, offsetof(PageHeader, crc32c),
           crc32c(std::span<const std::byte>(page).subspan(offsetof(PageHeader, version))));
}

Status parse_all(const std::vector<std::byte>& page) {
  const PageView view = PIEVT_TRY(PageView::parse(page));
  std::vector<EventView> events;
  return collect_events(view, std::nullopt, events);
}

TEST(Page, ComesBackAsItWasBuilt) {
  Sample sample;
  const auto bytes = sample.build();
  const auto page = PageView::parse(bytes);
  ASSERT_TRUE(page.ok()) << page.error().what;
  ASSERT_EQ(page->segments.size(), commits);
  EXPECT_EQ(page->header->epoch, 3u);
  EXPECT_EQ(page->header->store, 77u);
  std::vector<EventView> events;
  ASSERT_TRUE(collect_events(*page, std::nullopt, events).ok());
  ASSERT_EQ(events.size(), commits * events_each);
  for (std::uint32_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].sequence.value, first_sequence + i);
    EXPECT_EQ(events[i].revision().value, i + 1);
    EXPECT_EQ(events[i].id.index, i % events_each);
    EXPECT_EQ(events[i].id.append.bytes[0], static_cast<std::byte>(i / events_each + 1));
    const auto* paused = events[i].envelope->payload_as_RunPaused();
    ASSERT_NE(paused, nullptr);
    EXPECT_EQ(paused->reason()->str(), "commit " + std::to_string(i / events_each) + " event " +
                                           std::to_string(i % events_each));
  }
  events.clear();
  ASSERT_TRUE(collect_events(*page, 8, events).ok());
  EXPECT_TRUE(events.empty());
}

TEST(Page, EveryFlippedBitIsNoticed) {
  Sample sample;
  const auto whole = sample.build();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto page = whole;
    page[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    ASSERT_FALSE(PageView::parse(page).ok()) << "bit " << bit;
  }
}

TEST(Page, EveryCutIsNoticed) {
  Sample sample;
  const auto whole = sample.build();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::vector<std::byte> page(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_FALSE(PageView::parse(page).ok()) << "cut at " << size;
    if (size < sizeof(PageHeader)) continue;
    // Also when whoever cut it made the header fit.
    write_at(page, offsetof(PageHeader, page_bytes), static_cast<std::uint32_t>(size));
    make_checksum_right(page);
    ASSERT_FALSE(PageView::parse(page).ok()) << "cut at " << size << ", checksum made right";
  }
  auto longer = whole;
  longer.resize(whole.size() + 8);
  write_at(longer, offsetof(PageHeader, page_bytes), static_cast<std::uint32_t>(longer.size()));
  make_checksum_right(longer);
  EXPECT_FALSE(PageView::parse(longer).ok());
}

TEST(Page, ALaterVersionIsTooNewAndNotDamaged) {
  Sample sample;
  auto page = sample.build();
  write_at(page, offsetof(PageHeader, version), std::uint16_t{page_version + 1});
  make_checksum_right(page);
  EXPECT_EQ(PageView::parse(page).error().code, Errc::too_new);
}

struct Lie {
  const char* what;
  std::size_t offset;  // of the number that lies
  std::size_t bytes;
};

constexpr std::size_t commit_at = sizeof(PageHeader);
constexpr std::size_t stream_at = commit_at + sizeof(CommitHeader);
constexpr std::size_t stamp_at = stream_at + sizeof(StreamEntry);
constexpr std::size_t stamp_body_size = 32;  // of schema::Stamp, frozen

constexpr Lie lies[] = {
    {"magic", offsetof(PageHeader, magic), 4},
    {"page_bytes", offsetof(PageHeader, page_bytes), 4},
    {"first_sequence", offsetof(PageHeader, first_sequence), 8},
    {"last_sequence", offsetof(PageHeader, last_sequence), 8},
    {"segment_count", offsetof(PageHeader, segment_count), 4},
    {"commit first_sequence", commit_at + offsetof(CommitHeader, first_sequence), 8},
    {"event_count", commit_at + offsetof(CommitHeader, event_count), 4},
    {"stream_count", commit_at + offsetof(CommitHeader, stream_count), 4},
    {"segment_bytes", commit_at + offsetof(CommitHeader, segment_bytes), 4},
    {"stream event_count", stream_at + offsetof(StreamEntry, event_count), 4},
    // Any other padded size moves the bodies behind it, or does not fill the commit.
    {"body_size", stamp_at + stamp_body_size, 4},
};

constexpr std::uint64_t values[] = {0,
                                    1,
                                    7,
                                    8,
                                    1000,
                                    0x7fff'fff8,
                                    0xffff'fff8,
                                    0xffff'ffff,
                                    0xffff'ffff'ffff'fff8,
                                    0xffff'ffff'ffff'ffff};

TEST(Page, HeadersThatLieWithARightChecksumAreErrors) {
  Sample sample;
  const auto whole = sample.build();
  for (const Lie& lie : lies) {
    std::uint64_t truth = 0;
    std::memcpy(&truth, whole.data() + lie.offset, lie.bytes);
    for (std::uint64_t value : values) {
      if (lie.bytes == 4) value &= 0xffff'ffff;
      if (value == truth) continue;
      auto page = whole;
      std::memcpy(page.data() + lie.offset, &value, lie.bytes);
      make_checksum_right(page);
      EXPECT_FALSE(parse_all(page).ok()) << lie.what << " = " << value;
    }
  }
}

TEST(Page, APageWithoutEventsIsNone) {
  PageHeader header{};
  header.last_sequence = UINT64_MAX;  // 0 to -1: as many as there are
  Digest chain{};
  EXPECT_FALSE(PageView::parse(build_page(header, {}, chain)).ok());
}

TEST(Page, NumbersAtTheEndOfTheirRangeDoNotWrapIntoAgreement) {
  Sample sample;
  auto page = sample.build();
  // The three commits would run over the end of the sequence numbers.
  const std::uint64_t first = UINT64_MAX - 1;
  std::size_t at = sizeof(PageHeader);
  write_at(page, offsetof(PageHeader, first_sequence), first);
  write_at(page, offsetof(PageHeader, last_sequence), first + commits * events_each - 1);
  for (std::uint32_t i = 0; i < commits; ++i) {
    write_at(page, at + offsetof(CommitHeader, first_sequence), first + i * events_each);
    at += read_at<std::uint32_t>(page, at + offsetof(CommitHeader, segment_bytes));
  }
  make_checksum_right(page);
  EXPECT_FALSE(PageView::parse(page).ok());
}

// Whatever bytes are put in, with a right checksum: an answer, never a crash or a read outside.
TEST(Page, RandomDamageWithARightChecksumNeverCrashes) {
  Sample sample;
  const auto whole = sample.build();
  std::mt19937_64 dice(20240611);
  int survived = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto page = whole;
    for (std::uint64_t hits = 1 + dice() % 4; hits > 0; --hits) {
      page[8 + dice() % (page.size() - 8)] = static_cast<std::byte>(dice());
    }
    make_checksum_right(page);
    if (!parse_all(page).ok()) continue;
    ++survived;
    Digest chain = sample.chain_before;
    static_cast<void>(PageView::parse(page)->check_chain(chain));
  }
  EXPECT_GT(survived, 0) << "no round came as far as the bodies";
}

struct Tampering {
  const char* what;
  std::function<void(std::vector<std::byte>&)> act;
};

Status chain_of(const std::vector<std::byte>& page, const Digest& before) {
  Digest chain = before;
  return PIEVT_TRY(PageView::parse(page)).check_chain(chain);
}

TEST(PageChain, HoldsOverAnUntouchedPageAndMovesOn) {
  Sample sample;
  Digest after = sample.chain_before;
  const auto page = build_page(sample.header, sample.segments, after);
  Digest chain = sample.chain_before;
  ASSERT_TRUE(PageView::parse(page)->check_chain(chain).ok());
  EXPECT_EQ(chain, after);
  EXPECT_NE(chain, sample.chain_before);
}

TEST(PageChain, ShowsWhatAChecksumMadeRightWouldHide) {
  const Tampering tamperings[] = {
      {"a stamp's revision", [](auto& page) { write_at(page, stamp_at + 8, std::uint64_t{99}); }},
      {"a stamp's time", [](auto& page) { write_at(page, stamp_at + 16, std::uint64_t{1}); }},
      {"who asked", [](auto& page) { write_at(page, stamp_at + 4, std::uint32_t{2}); }},
      {"an expected revision",
       [](auto& page) {
         write_at(page, stream_at + offsetof(StreamEntry, expected), std::uint64_t{1});
       }},
      {"the append id", [](auto& page) { page[commit_at] ^= std::byte{0xff}; }},
      {"the durability",
       [](auto& page) {
         write_at(page, commit_at + offsetof(CommitHeader, durability), std::uint32_t{1});
       }},
      {"the last body", [](auto& page) { page[page.size() - 9] ^= std::byte{1}; }},
  };
  Sample sample;
  const auto whole = sample.build();
  for (const Tampering& tampering : tamperings) {
    auto page = whole;
    tampering.act(page);
    ASSERT_NE(page, whole) << tampering.what;
    make_checksum_right(page);
    const Status chain = chain_of(page, sample.chain_before);
    ASSERT_FALSE(chain.ok()) << tampering.what;
    EXPECT_EQ(chain.error().code, Errc::corrupt);
    EXPECT_THAT(chain.error().what, HasSubstr("@4")) << "the place is named";
  }
}

TEST(PageChain, ShowsReorderedAndMissingCommits) {
  Sample sample;
  const auto whole = sample.build();
  const std::size_t size =
      read_at<std::uint32_t>(whole, commit_at + offsetof(CommitHeader, segment_bytes));
  ASSERT_EQ(whole.size(), sizeof(PageHeader) + commits * size) << "all commits are equally long";
  auto page = whole;
  const auto begin = page.begin() + static_cast<std::ptrdiff_t>(commit_at);
  const auto length = static_cast<std::ptrdiff_t>(size);
  std::swap_ranges(begin, begin + length, begin + length);
  for (std::uint32_t i = 0; i < 2; ++i) {
    write_at(page, commit_at + i * size + offsetof(CommitHeader, first_sequence),
             first_sequence + i * events_each);
  }
  make_checksum_right(page);
  ASSERT_TRUE(PageView::parse(page).ok()) << "only the chain can tell";
  EXPECT_FALSE(chain_of(page, sample.chain_before).ok());
  EXPECT_FALSE(chain_of(whole, Digest{}).ok()) << "a page before it is missing";
}

TEST(LostPage, NamesItsRangeAndHoldsNothingElse) {
  PageHeader header{};
  header.first_sequence = 7;
  header.last_sequence = 9;
  header.epoch = 3;
  const auto whole = build_lost_page(header);
  const auto page = PageView::parse(whole);
  ASSERT_TRUE(page.ok()) << page.error().what;
  EXPECT_TRUE(page->is_lost());
  EXPECT_TRUE(page->segments.empty());
  EXPECT_EQ(page->header->last_sequence, 9u);
  const auto refused = [](std::vector<std::byte> changed) {
    make_checksum_right(changed);
    const auto parsed = PageView::parse(changed);
    return !parsed.ok() && parsed.error().code == Errc::corrupt;
  };
  auto page_with_commits = whole;
  write_at(page_with_commits, offsetof(PageHeader, segment_count), std::uint32_t{1});
  EXPECT_TRUE(refused(page_with_commits));
  auto backwards = whole;
  write_at(backwards, offsetof(PageHeader, last_sequence), std::uint64_t{6});
  EXPECT_TRUE(refused(backwards));
  auto from_nothing = whole;
  write_at(from_nothing, offsetof(PageHeader, first_sequence), std::uint64_t{0});
  EXPECT_TRUE(refused(from_nothing));
  // A page with commits cannot be declared lost, nor a lost one whole.
  auto sample = Sample().build();
  write_at(sample, offsetof(PageHeader, flags), page_flag_lost);
  EXPECT_TRUE(refused(sample));
  auto unlost = whole;
  write_at(unlost, offsetof(PageHeader, flags), std::uint16_t{0});
  EXPECT_TRUE(refused(unlost));
}

}  // namespace
}  // namespace pievt::format
