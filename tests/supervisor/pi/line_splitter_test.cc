// Cutting bytes into lines, whatever the chunks, and keeping little of the lines nobody needs.
#include "supervisor/pi/line_splitter.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pievt::pi {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::array<std::string_view, 2> skipped = {"skip:", "skip me too:"};

struct Seen {
  LineKind kind;
  LineEnd end;
  LineStart start;
  std::uint64_t length;
  std::string bytes, tail;

  friend bool operator==(const Seen&, const Seen&) = default;
};

std::vector<Seen> split(std::string_view stream, std::size_t chunk_size) {
  std::vector<Seen> lines;
  const auto visit = [&lines](const Line& line) {
    lines.push_back({line.kind, line.end, line.start, line.length, std::string{line.bytes},
                     std::string{line.tail}});
  };
  LineSplitter splitter{skipped};
  while (!stream.empty()) {
    const std::string_view chunk = stream.substr(0, chunk_size);
    splitter.feed(chunk, visit);
    stream.remove_prefix(chunk.size());
  }
  splitter.finish(visit);
  return lines;
}

std::vector<std::string> bytes_of(const std::vector<Seen>& lines) {
  std::vector<std::string> bytes;
  for (const Seen& line : lines) bytes.push_back(line.bytes);
  return bytes;
}

TEST(LineSplitter, CutsAtNewlinesOnly) {
  const std::string stream =
      "a\r\nb\xE2\x80\xA8"
      "c\xE2\x80\xA9\n\n\x0B\x0C\x85\n";
  EXPECT_THAT(bytes_of(split(stream, 1000)), ElementsAre("a\r",
                                                         "b\xE2\x80\xA8"
                                                         "c\xE2\x80\xA9",
                                                         "", "\x0B\x0C\x85"));
}

TEST(LineSplitter, KnowsWhereLinesBegin) {
  const auto lines = split("one\n\nthree\nrest", 4);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].start, (LineStart{0, 1}));
  EXPECT_EQ(lines[1].start, (LineStart{4, 2}));
  EXPECT_EQ(lines[2].start, (LineStart{5, 3}));
  EXPECT_EQ(lines[3].start, (LineStart{11, 4}));
  EXPECT_EQ(lines[2].end, LineEnd::newline);
  EXPECT_EQ(lines[3].end, LineEnd::end_of_stream);
}

TEST(LineSplitter, TakesUpAStreamInTheMiddle) {
  LineSplitter splitter{skipped, {1000, 17}};
  std::vector<LineStart> starts;
  splitter.feed("one\ntwo\n", [&starts](const Line& line) { starts.push_back(line.start); });
  EXPECT_THAT(starts, ElementsAre(LineStart{1000, 17}, LineStart{1004, 18}));
}

TEST(LineSplitter, AnEmptyStreamHasNoLines) {
  EXPECT_THAT(split("", 1), IsEmpty());
}

TEST(LineSplitter, ALineWholeInTheChunkIsNotCopied) {
  const std::string chunk = "first\nsecond\n";
  LineSplitter splitter{skipped};
  std::vector<const char*> where;
  splitter.feed(chunk, [&where](const Line& line) { where.push_back(line.bytes.data()); });
  EXPECT_THAT(where, ElementsAre(chunk.data(), chunk.data() + 6));
}

TEST(LineSplitter, DoesNotDependOnChunks) {
  const std::string stream = "short\nskip:" + std::string(3000, 'x') + "end\nskip me too:\nskip\n" +
                             std::string(2000, 'y') + "\nskip me " + "too:tail\nskip:unfinished";
  const auto whole = split(stream, stream.size());
  ASSERT_EQ(whole.size(), 7U);
  for (const std::size_t chunk_size : {1U, 2U, 3U, 5U, 7U, 64U, 1000U, 4096U}) {
    EXPECT_EQ(split(stream, chunk_size), whole) << "chunks of " << chunk_size;
  }
}

TEST(LineSplitter, SkippedLinesKeepTheirTwoEnds) {
  const std::string line = "skip:" + std::string(3000, 'x') + "end";
  for (const std::size_t chunk_size : {1U, 100U, 100000U}) {
    const auto lines = split(line + "\n", chunk_size);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0].kind, LineKind::skipped);
    EXPECT_EQ(lines[0].length, line.size());
    EXPECT_EQ(lines[0].bytes, line.substr(0, limits::line_head_size_max));
    EXPECT_EQ(lines[0].tail, line.substr(line.size() - limits::line_tail_size_max));
  }
}

TEST(LineSplitter, ASkippedLineIsNotCollected) {
  LineSplitter splitter{skipped};
  const auto never = [](const Line&) { ADD_FAILURE() << "no line is complete"; };
  splitter.feed("skip:", never);
  const std::string piece(4096, 'x');
  for (int i = 0; i < 100; ++i) {
    splitter.feed(piece, never);
    EXPECT_LE(splitter.held_size(), limits::line_head_size_max + limits::line_tail_size_max);
  }
}

TEST(LineSplitter, AnOverlongLineCostsBoundedMemory) {
  const std::string head = "begin " + std::string(2000, 'h');
  const std::string piece(std::size_t{1} << 20, 'm');
  LineSplitter splitter{skipped};
  std::vector<Seen> lines;
  const auto visit = [&lines](const Line& line) {
    lines.push_back({line.kind, line.end, line.start, line.length, std::string{line.bytes},
                     std::string{line.tail}});
  };
  splitter.feed(head, visit);
  std::size_t most = 0;
  for (int i = 0; i < 40; ++i) {
    splitter.feed(piece, visit);
    most = std::max(most, splitter.held_size());
  }
  EXPECT_LE(most, limits::line_size_max + limits::line_tail_size_max);
  EXPECT_LE(splitter.held_size(), limits::line_head_size_max + limits::line_tail_size_max);
  splitter.feed("the end\nnext\n", visit);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].kind, LineKind::oversized);
  EXPECT_EQ(lines[0].length, head.size() + 40 * piece.size() + 7);
  EXPECT_EQ(lines[0].bytes, head.substr(0, limits::line_head_size_max));
  EXPECT_TRUE(lines[0].tail.ends_with("mthe end"));
  EXPECT_EQ(lines[1].bytes, "next");
  EXPECT_EQ(lines[1].start, (LineStart{lines[0].length + 1, 2}));
}

TEST(LineSplitter, TheLimitItselfIsAllowed) {
  for (const std::size_t chunk_size : {std::size_t{1} << 16, std::size_t{1} << 26}) {
    const auto lines = split(std::string(limits::line_size_max, 'x') + "\n" +
                                 std::string(limits::line_size_max + 1, 'y') + "\n",
                             chunk_size);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].kind, LineKind::whole);
    EXPECT_EQ(lines[0].bytes.size(), limits::line_size_max);
    EXPECT_EQ(lines[1].kind, LineKind::oversized);
    EXPECT_EQ(lines[1].length, limits::line_size_max + 1);
  }
}

}  // namespace
}  // namespace pievt::pi
