// Compression: what goes in comes out, a hostile frame is an error, and pi's quadratic stream
// becomes small in bounded memory.
#include "store/format/zstd_codec.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/bytes.h"
#include "tests/store/format/random_bytes.h"

namespace pievt {
namespace {

using Bytes = std::span<const std::byte>;
using Content = std::vector<std::byte>;

using test::random_bytes;

// Words as an answer has them: some often, most seldom, none repeated in a pattern.
std::string words(std::size_t size) {
  std::mt19937 random(7);
  std::vector<std::string> vocabulary(2000);
  for (std::string& word : vocabulary) {
    for (unsigned letters = 2 + random() % 8; letters > 0; --letters) {
      word += static_cast<char>('a' + std::min(random() % 26, random() % 26));
    }
  }
  std::string text;
  while (text.size() < size) {
    text += vocabulary[std::min(random() % 2000, random() % 2000)] + ' ';
  }
  text.resize(size);
  return text;
}

// pi 0.73's json mode: a line per delta, and each line has the message so far twice.
std::string quadratic_stream(std::size_t answer_bytes, std::size_t delta_bytes) {
  const std::string answer = words(answer_bytes);
  const std::string tail =
      R"("}],"api":"openai-completions","provider":"p","model":"m","usage":{"input":0,"output":0,)"
      R"("totalTokens":0,"cost":{"input":0,"output":0,"total":0}},"stopReason":"stop"})";
  std::string stream;
  for (std::size_t end = delta_bytes; end <= answer.size(); end += delta_bytes) {
    const std::string message =
        R"({"role":"assistant","content":[{"type":"text","text":")" + answer.substr(0, end) + tail;
    stream += R"({"type":"message_update","assistantMessageEvent":{"type":"text_delta","delta":")";
    stream += answer.substr(end - delta_bytes, delta_bytes) + R"(","partial":)" + message;
    stream += R"(},"message":)" + message + "}\n";
  }
  return stream;
}

struct Packed {
  std::vector<PackedChunk> chunks;
  std::size_t bytes = 0;
};

Packed pack_all(PrimedCompressor& compressor, ChunkChain& chain, Bytes raw) {
  Packed packed;
  while (!raw.empty()) {
    auto chunk = compressor.pack(chain, raw);
    EXPECT_TRUE(chunk.ok()) << chunk.error().what;
    if (!chunk.ok() || chunk->raw_bytes == 0) break;
    EXPECT_LE(chunk->frame.size(), packed_chunk_bytes_max);
    EXPECT_LE(chunk->raw_bytes, raw_chunk_bytes_max);
    packed.bytes += chunk->frame.size();
    raw = raw.subspan(chunk->raw_bytes);
    packed.chunks.push_back(std::move(*chunk));
  }
  return packed;
}

// Compares chunk by chunk, since whole streams are large.
void expect_unpacks_to(const std::vector<PackedChunk>& chunks, Bytes raw) {
  PrimedDecompressor decompressor;
  ChunkChain chain;
  for (const PackedChunk& chunk : chunks) {
    const auto back = decompressor.unpack(chain, chunk.start, chunk.frame, chunk.raw_bytes);
    ASSERT_TRUE(back.ok()) << back.error().what;
    ASSERT_LE(back->size(), raw.size());
    ASSERT_TRUE(std::ranges::equal(*back, raw.first(back->size())));
    raw = raw.subspan(back->size());
  }
  EXPECT_TRUE(raw.empty());
}

TEST(ZstdTest, GivesBackWhatWasCompressed) {
  const std::string text = words(100'000);
  for (const std::size_t size : {0u, 1u, 7u, 1000u, 100'000u}) {
    for (const int level : {-3, 1, 3, 19, 99}) {
      const Bytes content = bytes_of(text).first(size);
      const auto frame = compress(content, level);
      ASSERT_TRUE(frame.ok()) << frame.error().what;
      const auto back = decompress(*frame, size);
      ASSERT_TRUE(back.ok()) << back.error().what;
      EXPECT_TRUE(std::ranges::equal(*back, content));
    }
  }
  EXPECT_LT(compress(bytes_of(text), 3)->size(), text.size() / 2);
}

// What a frame leaves behind, also a damaged one, is nothing to the next.
TEST(ZstdTest, UnpacksOneAfterTheOther) {
  Decompressor decompressor;
  for (const std::size_t size :
       {std::size_t{3000}, std::size_t{0}, std::size_t{100'000}, std::size_t{17}}) {
    const std::string text = words(size);
    std::vector<std::byte> frame = compress(bytes_of(text), 3).value();
    std::vector<std::byte> content(size);
    const Status unpacked = decompressor.unpack(frame, content);
    ASSERT_TRUE(unpacked.ok()) << unpacked.error().what;
    EXPECT_EQ(text_of(content), text);
    std::vector<std::byte> larger(size + 1);
    EXPECT_FALSE(decompressor.unpack(frame, larger).ok());
    frame[frame.size() / 2] ^= std::byte{1};
    EXPECT_FALSE(decompressor.unpack(frame, content).ok());
  }
}

TEST(ZstdTest, RefusesEveryShortenedFrameAndEveryFlippedBit) {
  const std::string text = words(300);
  const Content frame = *compress(bytes_of(text), 3);
  for (std::size_t size = 0; size < frame.size(); ++size) {
    const auto back = decompress(Bytes(frame).first(size), text.size());
    ASSERT_FALSE(back.ok()) << "cut at " << size;
    EXPECT_EQ(back.error().code, Errc::corrupt);
  }
  Content damaged = frame;
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    const auto mask = static_cast<std::byte>(1u << bit % 8);
    damaged[bit / 8] ^= mask;
    const auto back = decompress(damaged, text.size());
    // A bit without a meaning may be ignored; other bytes must never come out.
    if (back.ok()) {
      EXPECT_TRUE(std::ranges::equal(*back, bytes_of(text))) << "bit " << bit;
    }
    damaged[bit / 8] ^= mask;
  }
}

TEST(ZstdTest, RefusesFramesThatAreNotExactlyWhatIsExpected) {
  const Content frame = *compress(bytes_of("the content"), 3);
  EXPECT_TRUE(decompress(frame, 11).ok());
  EXPECT_FALSE(decompress(frame, 10).ok());
  EXPECT_FALSE(decompress(frame, 12).ok());
  EXPECT_FALSE(decompress({}, 0).ok());

  Content two = frame;
  two.insert(two.end(), frame.begin(), frame.end());
  EXPECT_FALSE(decompress(two, 11).ok());
  EXPECT_FALSE(decompress(two, 22).ok());
  Content followed = frame;
  followed.push_back(std::byte{0});
  EXPECT_FALSE(decompress(followed, 11).ok());

  // Without a content size: magic, descriptor, window, one empty last block.
  const unsigned char sizeless[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x00, 0x01, 0x00, 0x00};
  EXPECT_THAT(decompress(std::as_bytes(std::span(sizeless)), 0).error().what,
              testing::HasSubstr("does not say how much it holds"));
  const unsigned char skippable[] = {0x50, 0x2a, 0x4d, 0x18, 0x01, 0x00, 0x00, 0x00, 0xff};
  EXPECT_FALSE(decompress(std::as_bytes(std::span(skippable)), 0).ok());
}

TEST(ZstdTest, NeverBelievesAClaimBeforeSpendingMemory) {
  // Single segment, 8-byte content size of 2^40, one empty last block.
  const unsigned char boaster[] = {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0};
  const Bytes frame = std::as_bytes(std::span(boaster));
  const std::size_t claims[] = {0, 1, frame_content_bytes_max, std::size_t{1} << 40, SIZE_MAX};
  for (const std::size_t expected : claims) {
    const auto back = decompress(frame, expected);
    ASSERT_FALSE(back.ok());
    EXPECT_EQ(back.error().code, Errc::corrupt);
  }
  EXPECT_THAT(decompress(frame, frame_content_bytes_max).error().what,
              testing::HasSubstr("no frame of this size can hold that much"));
}

TEST(ZstdTest, AcceptsTheHighestRatioThereIs) {
  const Content zeros(frame_content_bytes_max);
  const auto frame = compress(zeros, 19);
  ASSERT_TRUE(frame.ok());
  EXPECT_LT(frame->size(), 16'000u);
  EXPECT_TRUE(decompress(*frame, zeros.size()).ok());
  EXPECT_EQ(compress(Content(frame_content_bytes_max + 1), 1).error().code, Errc::invalid);
}

TEST(PrimedTest, ShrinksTheQuadraticStreamBelowHalfAPercent) {
  const std::string stream = quadratic_stream(16 << 10, 16);
  ASSERT_GT(stream.size(), 16u << 20);
  PrimedCompressor compressor;
  ChunkChain chain;
  const Packed packed = pack_all(compressor, chain, bytes_of(stream));
  EXPECT_LT(packed.bytes, stream.size() / 200);
  EXPECT_EQ(chain.prefix().size(), chunk_prefix_bytes_max);
  EXPECT_EQ(packed.chunks.front().start, ChunkStart::restarts);
  EXPECT_EQ(packed.chunks.back().start, ChunkStart::continues);
  expect_unpacks_to(packed.chunks, bytes_of(stream));
}

TEST(PrimedTest, ServesManyChainsInTurnAndInSmallPieces) {
  const std::string stream = quadratic_stream(2 << 10, 16);
  const Content noise = random_bytes(stream.size(), 1);
  PrimedCompressor compressor;
  ChunkChain chains[2];
  std::vector<PackedChunk> packed[2];
  const Bytes raw[2] = {bytes_of(stream), noise};
  std::mt19937 random(2);
  std::size_t done[2] = {0, 0};
  while (done[0] < stream.size() || done[1] < stream.size()) {
    const std::size_t i = random() % 2;
    const std::size_t size = std::min<std::size_t>(1 + random() % 9000, stream.size() - done[i]);
    if (size == 0) continue;
    const Packed some = pack_all(compressor, chains[i], raw[i].subspan(done[i], size));
    packed[i].insert(packed[i].end(), some.chunks.begin(), some.chunks.end());
    done[i] += size;
  }
  expect_unpacks_to(packed[0], raw[0]);
  expect_unpacks_to(packed[1], raw[1]);
}

TEST(PrimedTest, KeepsFramesSmallWhateverComes) {
  // Compressible until the chain packs large chunks, then not at all, then again.
  Content stream(8 << 20);
  const Content noise = random_bytes(3 << 20, 3);
  stream.insert(stream.end(), noise.begin(), noise.end());
  stream.resize(stream.size() + (8 << 20));
  PrimedCompressor compressor;
  ChunkChain chain;
  const Packed packed = pack_all(compressor, chain, stream);
  const auto raw_bytes = [](const PackedChunk& chunk) { return chunk.raw_bytes; };
  EXPECT_EQ(std::ranges::max(packed.chunks, {}, raw_bytes).raw_bytes, raw_chunk_bytes_max);
  EXPECT_EQ(packed.chunks.back().start, ChunkStart::continues);
  expect_unpacks_to(packed.chunks, stream);
}

TEST(PrimedTest, StartsAfreshEverySixtyFourMebibytes) {
  const Content stream(150u << 20, std::byte{'x'});
  PrimedCompressor compressor;
  ChunkChain chain;
  const Packed packed = pack_all(compressor, chain, stream);
  std::uint64_t since = 0;
  int restarts = 0;
  for (const PackedChunk& chunk : packed.chunks) {
    if (chunk.start == ChunkStart::restarts) {
      ++restarts;
      since = 0;
    }
    since += chunk.raw_bytes;
    EXPECT_LE(since, chain_restart_bytes);
  }
  EXPECT_EQ(restarts, 3);
  EXPECT_EQ(since, chain.raw_bytes_since_restart());

  // So the last third can be read without the first two.
  const auto last = std::find_if(packed.chunks.rbegin(), packed.chunks.rend(),
                                 [](const auto& c) { return c.start == ChunkStart::restarts; });
  const std::vector<PackedChunk> rest(std::prev(last.base()), packed.chunks.end());
  expect_unpacks_to(rest, Bytes(stream).last(since));
}

TEST(PrimedTest, AReaderCanGoOnWriting) {
  const std::string stream = quadratic_stream(4 << 10, 16);
  const std::size_t middle = stream.size() / 2;
  PrimedCompressor first;
  ChunkChain written;
  Packed packed = pack_all(first, written, bytes_of(stream).first(middle));
  PrimedDecompressor decompressor;
  ChunkChain read;
  for (const PackedChunk& chunk : packed.chunks) {
    ASSERT_TRUE(decompressor.unpack(read, chunk.start, chunk.frame, chunk.raw_bytes).ok());
  }
  PrimedCompressor second;
  const Packed rest = pack_all(second, read, bytes_of(stream).subspan(middle));
  EXPECT_EQ(rest.chunks.front().start, ChunkStart::continues);
  packed.chunks.insert(packed.chunks.end(), rest.chunks.begin(), rest.chunks.end());
  expect_unpacks_to(packed.chunks, bytes_of(stream));
}

TEST(PrimedTest, NoticesAWrongOrMissingPredecessor) {
  const std::string stream = quadratic_stream(2 << 10, 16);
  PrimedCompressor compressor;
  ChunkChain chain;
  const Bytes raw = bytes_of(stream).first(300'000);
  const auto first = compressor.pack(chain, raw.first(200'000));
  const auto second = compressor.pack(chain, raw.subspan(200'000));
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(second.ok());

  PrimedDecompressor decompressor;
  ChunkChain empty;
  const auto alone = decompressor.unpack(empty, second->start, second->frame, second->raw_bytes);
  ASSERT_FALSE(alone.ok());
  EXPECT_EQ(alone.error().code, Errc::corrupt);

  // A predecessor of the same size that differs where the second chunk refers to it.
  Content other(raw.begin(), raw.begin() + 200'000);
  for (std::byte& byte : other) byte ^= std::byte{1};
  ChunkChain others;
  const auto forged = PrimedCompressor().pack(others, other);
  ASSERT_TRUE(forged.ok());
  ChunkChain reader;
  ASSERT_TRUE(decompressor.unpack(reader, forged->start, forged->frame, forged->raw_bytes).ok());
  EXPECT_FALSE(decompressor.unpack(reader, second->start, second->frame, second->raw_bytes).ok());

  // After a failure the same decompressor reads good chunks as before.
  expect_unpacks_to({*first, *second}, raw);
  ChunkChain again;
  EXPECT_TRUE(decompressor.unpack(again, first->start, first->frame, first->raw_bytes).ok());
}

TEST(PrimedTest, RefusesDamagedAndBoastfulChunks) {
  const std::string text = words(500);
  PrimedCompressor compressor;
  ChunkChain chain;
  const auto chunk = compressor.pack(chain, bytes_of(text));
  ASSERT_TRUE(chunk.ok());
  PrimedDecompressor decompressor;
  Content damaged = chunk->frame;
  for (std::size_t bit = 0; bit < damaged.size() * 8; ++bit) {
    const auto mask = static_cast<std::byte>(1u << bit % 8);
    damaged[bit / 8] ^= mask;
    ChunkChain reader;
    const auto back = decompressor.unpack(reader, chunk->start, damaged, chunk->raw_bytes);
    if (back.ok()) {
      EXPECT_TRUE(std::ranges::equal(*back, bytes_of(text))) << "bit " << bit;
    }
    damaged[bit / 8] ^= mask;
  }
  ChunkChain reader;
  EXPECT_FALSE(decompressor.unpack(reader, chunk->start, chunk->frame, SIZE_MAX).ok());
  EXPECT_FALSE(decompressor.unpack(reader, chunk->start, chunk->frame, 499).ok());
  EXPECT_FALSE(decompressor.unpack(reader, chunk->start, {}, 0).ok());
  EXPECT_EQ(compressor.pack(chain, {}).error().code, Errc::invalid);
}

// A real capture of pi 0.73.1 is used where the recordings stand beside the checkout.
TEST(PrimedTest, ShrinksARealCapture) {
  const char* given = std::getenv("PIEVT_SHARED");
  const std::filesystem::path shared = given != nullptr ? given : PIEVT_SOURCE_DIR "/../shared";
  std::ifstream file(shared / "fixtures/pi/0.73.1/long/stdout.jsonl", std::ios::binary);
  if (!file) GTEST_SKIP() << "no recordings in " << shared;
  std::ostringstream whole;
  whole << file.rdbuf();
  const std::string stream = whole.str();
  PrimedCompressor compressor;
  ChunkChain chain;
  const Packed packed = pack_all(compressor, chain, bytes_of(stream));
  EXPECT_LT(packed.bytes, stream.size() / 50);
  expect_unpacks_to(packed.chunks, bytes_of(stream));
}

}  // namespace
}  // namespace pievt
