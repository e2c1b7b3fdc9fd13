// Bytes that are not what was sealed: noticed, wherever they are, and never more than an error.
#include <array>
#include <filesystem>

#include <gtest/gtest.h>

#include "pievt/query.h"
#include "pievt/version.h"
#include "store/format/hash.h"
#include "store/trust/sealed_format.h"
#include "tests/store/log/temp_store.h"
#include "tests/store/trust/sealed_source.h"

namespace pievt {
namespace {

class SealedDamage : public StoreTest {
 protected:
  SealedDamage() {
    open();
    const auto words = log().put_blob("what it was told: count the bridges");
    schema::RunPlannedT planned;
    planned.run_id = "small";
    planned.plan = std::make_unique<schema::BlobRef>(*words);
    tell(std::move(planned));
    tell(schema::RunStartedT{});
    OutputPacker packer;
    OutputWriter writer({"small", 0, 1, schema::OutputChannel::stdout});
    const std::string said = "seven bridges, seven bridges\n";
    schema::AttemptLaunchRequestedT request;
    tell(std::move(request), {.job = 0, .attempt = 1});
    auto chunks = writer.write(log(), packer, std::as_bytes(std::span(said)));
    tell(std::move(chunks->front()), {.job = 0, .attempt = 1});
    schema::RunFinishedT finished;
    finished.ending = schema::RunEnding::succeeded;
    tell(std::move(finished));
    const auto run = open_run(log(), "small");
    const auto report = seal(**run, file(), {.pievt_version = std::string(version)});
    EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.error().what);
    bytes_ = slurp(file());
  }

  template <class Table>
  void tell(Table payload, Subject subject = {}) {
    std::vector<NewEvent> events;
    events.push_back({std::move(payload), subject});
    ASSERT_TRUE(log().append(run_stream("small"), Expected::any(), std::move(events)).ok());
  }

  std::filesystem::path file() const { return directory() / "small.pievt"; }
  std::filesystem::path other() const { return directory() / "other.pievt"; }
  Errc error_of(std::string_view bytes) const {
    spill(other(), bytes);
    const auto opened = open_sealed(other());
    EXPECT_FALSE(opened.ok());
    return opened.ok() ? Errc::io : opened.error().code;
  }

  std::string bytes_;
};

TEST_F(SealedDamage, EveryByteCounts) {
  ASSERT_EQ(verify_sealed(file())->verdict, Verdict::whole);
  std::size_t refused = 0, found = 0;
  for (std::size_t at = 0; at < bytes_.size(); ++at) {
    std::string changed = bytes_;
    changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
    spill(other(), changed);
    const auto verified = verify_sealed(other());
    if (!verified.ok()) {
      ++refused;
    } else {
      ASSERT_EQ(verified->verdict, Verdict::damaged) << "byte " << at << " of " << bytes_.size();
      ++found;
    }
  }
  EXPECT_GT(refused, 0u);
  EXPECT_GT(found, 0u);
}

TEST_F(SealedDamage, CutOffItIsRefused) {
  for (std::size_t size = 0; size < bytes_.size(); ++size) {
    const Errc code = error_of(bytes_.substr(0, size));
    ASSERT_EQ(code, size < sealed::head_bytes ? Errc::invalid : Errc::corrupt) << size;
  }
  EXPECT_EQ(error_of(bytes_ + "x"), Errc::corrupt);
}

TEST_F(SealedDamage, SomethingElseIsNoSealedRun) {
  EXPECT_EQ(error_of(""), Errc::invalid);
  EXPECT_EQ(error_of("{\"schema\":\"pievt.export\"}\n"), Errc::invalid);
  EXPECT_EQ(error_of(std::string(100'000, '\0')), Errc::invalid);
  EXPECT_FALSE(is_sealed(other()));
  EXPECT_FALSE(is_sealed(directory()));
  EXPECT_FALSE(is_sealed(directory() / "nothing"));
  EXPECT_TRUE(is_sealed(file()));
  EXPECT_EQ(open_sealed(directory()).error().code, Errc::invalid);
  EXPECT_EQ(open_sealed(directory() / "nothing").error().code, Errc::not_found);
}

TEST_F(SealedDamage, ALaterFormatIsNamedAsOne) {
  std::string later = bytes_;
  later[8 + sealed::head_text.find('1')] = '2';
  EXPECT_EQ(error_of(later), Errc::too_new);
  EXPECT_TRUE(is_sealed(other()));
}

// A directory that was made to lie, with digests that are right.
TEST_F(SealedDamage, ADirectoryIsNotBelieved) {
  const auto span = std::as_bytes(std::span(bytes_));
  const auto parsed = sealed::parse_directory(std::vector<std::byte>(300));
  EXPECT_FALSE(parsed.ok());
  sealed::Directory directory;
  directory.run_id = "r";
  directory.events = 1;
  directory.event_counts = {1};
  directory.frames = {{sealed::Section::events, 10, 1u << 30, {}}};
  const auto bytes = to_bytes(directory);
  ASSERT_TRUE(sealed::parse_directory(bytes).ok());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(sealed::parse_directory(std::span(bytes).first(size)).ok()) << size;
  directory.events = 2;
  EXPECT_FALSE(sealed::parse_directory(to_bytes(directory)).ok());
  EXPECT_FALSE(span.empty());
}

}  // namespace
}  // namespace pievt
