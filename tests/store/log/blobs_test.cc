// Many texts asked for at once are what each would have been alone: there, large, small, twice,
// never stored, and not what they were.
#include "pievt/blobs.h"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/bytes.h"
#include "tests/store/log/temp_store.h"

namespace pievt {
namespace {

class BlobsTest : public StoreTest {
 protected:
  // Asks for all at once and for each alone; the answers, by position.
  std::vector<std::string> both(const std::vector<schema::BlobRef>& refs) {
    std::vector<std::string> answers(refs.size());
    std::vector<int> times(refs.size());
    get_blobs(log(), refs, [&](std::size_t at, const Result<std::span<const std::byte>>& content) {
      ++times[at];
      answers[at] = content.ok() ? std::string(text_of(*content)) : content.error().what;
    });
    for (std::size_t at = 0; at < refs.size(); ++at) {
      EXPECT_EQ(times[at], 1) << at;
      const auto alone = log().get_blob(refs[at]);
      EXPECT_EQ(answers[at], alone.ok() ? std::string(text_of(*alone)) : alone.error().what);
    }
    return answers;
  }
};

TEST_F(BlobsTest, EachIsWhatItIsAlone) {
  open();
  std::vector<std::string> contents = {"", "short", std::string(10'000, 'z'),
                                       std::string(limits::blob_chunk_bytes_max + 1, 'y')};
  for (int i = 0; i < 300; ++i) contents.push_back("text " + std::to_string(i));
  std::vector<schema::BlobRef> refs;
  for (const std::string& content : contents) refs.push_back(log().put_blob(content).value());
  EXPECT_EQ(both(refs), contents);
  EXPECT_TRUE(both({}).empty());
}

TEST_F(BlobsTest, AskedForTwiceItIsGivenTwice) {
  open();
  const auto one = log().put_blob("one").value();
  const auto two = log().put_blob(std::string(5000, 'q')).value();
  EXPECT_EQ(both({one, two, one, one, two}).at(3), "one");
}

TEST_F(BlobsTest, WhatIsNotThereOrIsOtherwiseIsSaid) {
  open();
  const auto there = log().put_blob("there").value();
  schema::Digest nobody = there.digest();
  const_cast<std::uint8_t*>(nobody.bytes()->data())[31] ^= 1;
  const schema::BlobRef unknown(nobody, 5, 0, schema::BlobKind::text, 0);
  const schema::BlobRef longer(there.digest(), 6, 0, schema::BlobKind::text, 0);
  const auto answers = both({unknown, there, longer, there});
  EXPECT_THAT(answers[0], testing::HasSubstr("is not in this store"));
  EXPECT_EQ(answers[1], "there");
  EXPECT_THAT(answers[2], testing::HasSubstr("not what was stored"));
  EXPECT_EQ(answers[3], "there");
}

// A process that does not write sees what was put before it looked.
TEST_F(BlobsTest, AReaderIsGivenTheSame) {
  open();
  std::vector<schema::BlobRef> refs;
  for (int i = 0; i < 50; ++i) refs.push_back(log().put_blob("body " + std::to_string(i)).value());
  append("a", {"durable"});
  const Log reader = open_reader();
  std::size_t good = 0;
  get_blobs(reader, refs, [&](std::size_t at, const Result<std::span<const std::byte>>& content) {
    good += content.ok() && text_of(*content) == "body " + std::to_string(at) ? 1u : 0u;
  });
  EXPECT_EQ(good, refs.size());
}

}  // namespace
}  // namespace pievt
