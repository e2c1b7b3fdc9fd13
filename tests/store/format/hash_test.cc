// The sums against the vectors of their standards, and the two ways to a CRC against each other.
#include "store/format/hash.h"

#include <cstring>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/bytes.h"
#include "tests/store/format/random_bytes.h"

namespace pievt {
namespace {

using Bytes = std::span<const std::byte>;

using test::random_bytes;

struct Vector {
  std::string message;
  const char* digest;
};

// FIPS 180-2, appendix B, and the empty message.
const Vector sha256_vectors[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {std::string(1'000'000, 'a'),
     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

TEST(Sha256Test, GivesTheStandardsDigests) {
  for (const Vector& vector : sha256_vectors) {
    EXPECT_EQ(hex(sha256(bytes_of(vector.message))), vector.digest) << vector.message.size();
  }
}

TEST(Sha256Test, HashesOneMessageAfterTheOtherAndInAnyPieces) {
  Sha256 hasher;
  for (const Vector& vector : sha256_vectors) {
    const std::string_view message = vector.message;
    for (const std::size_t cut : {std::size_t{0}, message.size() / 3, message.size()}) {
      hasher.update(message.substr(0, cut));
      hasher.update(bytes_of(message.substr(cut)));
      EXPECT_EQ(hex(hasher.finish()), vector.digest) << message.size() << " cut at " << cut;
    }
  }
}

TEST(Sha256Test, MovesInTheMiddleOfAMessage) {
  Sha256 first;
  first.update(std::string_view("a"));
  Sha256 second = std::move(first);
  second.update(std::string_view("bc"));
  EXPECT_EQ(hex(second.finish()), sha256_vectors[1].digest);
}

// RFC 4231. Its keys are shorter than ours; HMAC fills every key up with zeros, so they fit.
struct KeyedVector {
  std::string key;
  std::string message;
  const char* digest;
};

const KeyedVector hmac_vectors[] = {
    {std::string(20, '\x0b'), "Hi There",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"Jefe", "what do ya want for nothing?",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {std::string(20, '\xaa'), std::string(50, '\xdd'),
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
};

BlobKey key_of(const std::string& text) {
  BlobKey key{};
  std::memcpy(key.data(), text.data(), text.size());
  return key;
}

TEST(KeyedSha256Test, GivesTheStandardsDigests) {
  for (const KeyedVector& vector : hmac_vectors) {
    const BlobKey key = key_of(vector.key);
    EXPECT_EQ(hex(hmac_sha256(key, bytes_of(vector.message))), vector.digest);
    KeyedSha256 hasher(key);
    for (int again = 0; again < 3; ++again) {
      const std::string_view message = vector.message;
      hasher.update(bytes_of(message.substr(0, 5)));
      hasher.update(bytes_of(message.substr(5)));
      EXPECT_EQ(hex(hasher.finish()), vector.digest) << "message " << again;
    }
  }
}

TEST(KeyedSha256Test, DependsOnTheKeyAlone) {
  const auto content = random_bytes(1000, 1);
  BlobKey other{};
  other[31] = std::byte{1};
  EXPECT_NE(hmac_sha256(BlobKey{}, content), hmac_sha256(other, content));
  EXPECT_NE(hmac_sha256(BlobKey{}, content), sha256(content));
}

// RFC 3720, appendix B.4, and the check value of the usual catalogue.
TEST(Crc32cTest, GivesTheStandardsSums) {
  std::string up;
  for (char c = 0; c < 32; ++c) up += c;
  const std::string down(up.rbegin(), up.rend());
  const std::pair<std::string, std::uint32_t> vectors[] = {
      {"", 0},
      {"123456789", 0xe3069283},
      {std::string(32, '\0'), 0x8a9136aa},
      {std::string(32, '\xff'), 0x62a8ab43},
      {up, 0x46dd794e},
      {down, 0x113fdb5c},
  };
  for (const auto& [message, sum] : vectors) {
    EXPECT_EQ(crc32c(bytes_of(message)), sum);
    EXPECT_EQ(crc32c_portable(bytes_of(message)), sum);
  }
}

TEST(Crc32cTest, InstructionAndTableAgreeForEverySizeAndAddress) {
  const auto bytes = random_bytes(900, 2);
  for (std::size_t from = 0; from < 9; ++from) {
    for (std::size_t size = 0; from + size <= bytes.size(); ++size) {
      const Bytes part = Bytes(bytes).subspan(from, size);
      const std::uint32_t sum = crc32c_portable(part);
      ASSERT_EQ(crc32c(part), sum) << from << '+' << size;
      ASSERT_EQ(crc32c_in_lanes(part), sum) << from << '+' << size;
    }
  }
}

TEST(Crc32cTest, GoesOnFromAnEarlierSum) {
  const auto bytes = random_bytes(700, 3);
  const std::uint32_t whole = crc32c(bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    const Bytes head = Bytes(bytes).first(cut);
    const Bytes tail = Bytes(bytes).subspan(cut);
    ASSERT_EQ(crc32c(tail, crc32c(head)), whole) << cut;
    ASSERT_EQ(crc32c_in_lanes(tail, crc32c_in_lanes(head)), whole) << cut;
    ASSERT_EQ(crc32c_portable(tail, crc32c_portable(head)), whole) << cut;
  }
}

TEST(Crc32cTest, NoticesEveryFlippedBit) {
  auto bytes = random_bytes(64, 4);
  const std::uint32_t before = crc32c(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    ASSERT_NE(crc32c(bytes), before) << bit;
    bytes[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
  }
}

TEST(HexTest, ReadsWhatItWrites) {
  const auto bytes = random_bytes(257, 5);
  for (const std::size_t size : {0u, 1u, 32u, 257u}) {
    const Bytes part = Bytes(bytes).first(size);
    const auto back = from_hex(hex(part));
    ASSERT_TRUE(back.ok()) << back.error().what;
    EXPECT_TRUE(std::ranges::equal(*back, part));
  }
  EXPECT_EQ(hex(bytes_of("\x01\x9f\xa0")), "019fa0");
  EXPECT_EQ(from_hex("00aBCf")->at(1), std::byte{0xab});
}

TEST(HexTest, RefusesWhatIsNone) {
  for (const char* text : {"0", "abc", "0g", "g0", "  ", "0x", "\xc3\xa4"}) {
    const auto bytes = from_hex(text);
    ASSERT_FALSE(bytes.ok()) << text;
    EXPECT_EQ(bytes.error().code, Errc::invalid);
  }
  EXPECT_THAT(from_hex("00112x").error().what, testing::HasSubstr("position 5"));
}

TEST(HexTest, ReadsDigestsOfTheRightLengthOnly) {
  const Digest digest = sha256(bytes_of("abc"));
  const auto back = digest_from_hex(hex(digest));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, digest);
  EXPECT_FALSE(digest_from_hex("").ok());
  EXPECT_FALSE(digest_from_hex(hex(digest) + "00").ok());
  EXPECT_FALSE(digest_from_hex(std::string(64, 'z')).ok());
}

}  // namespace
}  // namespace pievt
