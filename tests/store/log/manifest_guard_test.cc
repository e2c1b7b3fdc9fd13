// A MANIFEST that is not, or is not read as, what was written: RocksDB would take its last record
// for a torn one, begin with an older state and remove the tables of the newer one.
#include "store/log/manifest_guard.h"

#include <fstream>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/upkeep.h"
#include "pievt/verify.h"
#include "store/format/hash.h"
#include "store/log/rocks.h"
#include "store/log/rocks_testing.h"
#include "tests/store/log/temp_store.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;

std::string bytes_in(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void put_bytes(const fs::path& path, std::string_view content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

// Where the last record of a file in RocksDB's log format begins: blocks of 32 KiB, and in them
// sum (4), length (2), kind (1), bytes.
std::size_t last_record_of(const std::string& file) {
  constexpr std::size_t block = 32 << 10, header = 7;
  std::size_t last = 0;
  for (std::size_t at = 0; at + header <= file.size();) {
    if (block - at % block < header) {
      at += block - at % block;
      continue;
    }
    last = at;
    const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(file[at + i]) & 0xff; };
    at += header + byte(4) + (byte(5) << 8);
  }
  return last;
}

// The n-th reading of files whose names begin so has one wrong bit in its middle.
class MisreadsOnce final : public rocksdb::FileSystemWrapper {
 public:
  MisreadsOnce(std::string name, int which)
      : FileSystemWrapper(FileSystem::Default()), name_(std::move(name)), which_(which) {}
  const char* Name() const override { return "MisreadsOnce"; }
  int readings() const { return readings_; }

  rocksdb::IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* result,
                                      rocksdb::IODebugContext* debug) override {
    rocksdb::IOStatus status = target_->NewSequentialFile(path, options, result, debug);
    if (status.ok() && fs::path(path).filename().string().starts_with(name_))
      *result = std::make_unique<File>(std::move(*result), *this);
    return status;
  }

 private:
  class File final : public rocksdb::FSSequentialFileOwnerWrapper {
   public:
    File(std::unique_ptr<rocksdb::FSSequentialFile> file, MisreadsOnce& all)
        : FSSequentialFileOwnerWrapper(std::move(file)), all_(&all) {}
    rocksdb::IOStatus Read(std::size_t size, const rocksdb::IOOptions& options,
                           rocksdb::Slice* result, char* scratch,
                           rocksdb::IODebugContext* debug) override {
      rocksdb::IOStatus status = target()->Read(size, options, result, scratch, debug);
      if (status.ok() && !result->empty() && all_->readings_++ == all_->which_)
        scratch[result->size() / 2] ^= 0x04;
      return status;
    }

   private:
    MisreadsOnce* all_;
  };

  std::string name_;
  int which_;
  int readings_ = 0;
};

class ManifestGuardTest : public StoreTest {
 protected:
  enum class Left : std::uint8_t { closed, closed_by_its_first_writer, killed };

  // A store at rest, in `kept`, as a writer left it.
  void make_store(Left left) {
    close();
    fs::remove_all(store());
    fs::remove_all(kept());
    open();
    append("a", {"one"});
    const schema::BlobRef text = log().put_blob(blob_).value();
    schema::ArtifactRecordedT recorded;
    recorded.path = "evidence.txt";
    recorded.content = std::make_unique<schema::BlobRef>(text);
    std::vector<NewEvent> events;
    events.push_back({std::move(recorded)});
    ASSERT_TRUE(log().append("b", Expected::any(), std::move(events)).ok());
    if (left != Left::closed_by_its_first_writer) reopen();
    append("a", {"two"});
    if (left != Left::killed) close();
    fs::remove(store() / "SOCKET");
    fs::copy(store(), kept(), fs::copy_options::recursive);
    close();
  }
  fs::path kept() const { return directory() / "kept"; }
  fs::path record() const { return store() / "log" / checked_manifest; }

  void put_back() {
    close();
    fs::remove_all(store());
    fs::copy(kept(), store(), fs::copy_options::recursive);
    const std::string name = bytes_in(store() / "log" / "CURRENT");
    manifest_ = store() / "log" / name.substr(0, name.find('\n'));
    whole_ = bytes_in(manifest_);
  }

  // Opened for writing it has everything; what it says to have mended.
  std::string everything_is_there() {
    open(OpenMode::write);
    EXPECT_THAT(texts("a"), ElementsAre("one", "two"));
    auto reader = log().read_stream("b", {});
    EXPECT_TRUE(reader.next());
    const auto* recorded = reader.event().envelope->payload_as_ArtifactRecorded();
    const auto text = log().get_blob(*recorded->content());
    EXPECT_TRUE(text.ok()) << text.error().what;
    const auto report = verify(log());
    EXPECT_TRUE(report.ok() && report->verdict == Verdict::whole && report->findings_total == 0);
    return mended(log());
  }

  std::map<std::string, std::string> files_of_log() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(store() / "log"))
      files[entry.path().filename().string()] = bytes_in(entry.path());
    return files;
  }

  const std::string blob_ = std::string(5000, 'b');
  fs::path manifest_;
  std::string whole_;
};

TEST_F(ManifestGuardTest, NoBitOfItsLastLengthCostsAnything) {
  for (const Left left : {Left::closed, Left::killed}) {
    make_store(left);
    for (unsigned bit = 0; bit < 16; ++bit) {
      SCOPED_TRACE(fmt::format("{}, bit {}", left == Left::closed ? "closed" : "killed", bit));
      put_back();
      std::string damaged = whole_;
      damaged[last_record_of(whole_) + 4 + bit / 8] ^= static_cast<char>(1 << bit % 8);
      put_bytes(manifest_, damaged);
      const auto files = files_of_log();
      const auto refused = Rocks::open_writer(store() / "log", Rocks::Create::never);
      ASSERT_FALSE(refused.ok());
      EXPECT_EQ(refused.error().code, Errc::corrupt) << refused.error().what;
      EXPECT_EQ(files_of_log(), files);
      if (bit % 6 != 0) continue;  // making the log anew takes a while
      EXPECT_THAT(everything_is_there(), HasSubstr("is damaged"));
      close();
      EXPECT_THAT(everything_is_there(), IsEmpty()) << "for good";
    }
  }
}

TEST_F(ManifestGuardTest, AShorterOneIsMended) {
  make_store(Left::closed);
  put_back();
  put_bytes(manifest_, whole_.substr(0, last_record_of(whole_)));
  EXPECT_THAT(everything_is_there(), HasSubstr("were on the disk"));
  put_back();
  fs::remove(manifest_);
  EXPECT_THAT(everything_is_there(), HasSubstr("is not there"));
}

TEST_F(ManifestGuardTest, WithoutTheRecordOfItNothingIsChecked) {
  make_store(Left::closed);
  put_back();
  const std::string record_bytes = bytes_in(record());
  ASSERT_EQ(record_bytes.size(), 64u);
  std::vector<std::string> records = {"", record_bytes.substr(0, 20), record_bytes + record_bytes,
                                      std::string(64, '\xff')};
  for (std::string flipped : {record_bytes, record_bytes, record_bytes}) {
    flipped[records.size() * 4 - 12] ^= 0x20;
    records.push_back(flipped);
  }
  for (const std::string& bytes : records) {
    SCOPED_TRACE(testing::PrintToString(bytes));
    put_back();
    put_bytes(record(), bytes);
    EXPECT_THAT(everything_is_there(), IsEmpty());
  }
  put_back();
  fs::remove(record());
  EXPECT_THAT(everything_is_there(), IsEmpty());
  EXPECT_EQ(fs::file_size(record()), 64u) << "made again";
  EXPECT_EQ(fs::status(record()).permissions(), fs::perms(0600));
}

// It may be older than the MANIFEST: whose beginning is what it knows.
TEST_F(ManifestGuardTest, AnOlderRecordOfItIsNoDamage) {
  make_store(Left::closed);
  put_back();
  CheckedManifest known(store() / "log");
  const std::uint64_t number = manifest_number(manifest_.filename().string()).value();
  EXPECT_TRUE(known.is_all_of(number, whole_));
  EXPECT_TRUE(known.check(number, whole_ + "more").ok());
  EXPECT_FALSE(known.is_all_of(number, whole_ + "more"));
  EXPECT_FALSE(known.check(number, whole_.substr(1)).ok());
  EXPECT_TRUE(known.check(number + 1, "another").ok());
  const std::size_t end = last_record_of(whole_);
  known.note(number, end, crc32c(std::as_bytes(std::span(whole_).first(end))));
  EXPECT_THAT(everything_is_there(), IsEmpty());
}

TEST_F(ManifestGuardTest, TheOneBeforeIsKnownUntilItsNumberComesAgain) {
  open();
  close();
  const auto nothing = crc32c({});
  {
    CheckedManifest known(store() / "log");
    known.note(100, 0, nothing);
    known.note(101, 0, nothing + 1);
    known.note(101, 0, nothing + 2);
  }
  CheckedManifest known(store() / "log");
  EXPECT_TRUE(known.check(100, "").ok());
  EXPECT_EQ(known.check(101, "").error().code, Errc::corrupt);
  EXPECT_TRUE(known.begin(101).ok());
  EXPECT_TRUE(known.check(101, "").ok());
  EXPECT_TRUE(CheckedManifest(store() / "log").check(101, "").ok());
  EXPECT_TRUE(CheckedManifest(store() / "log").is_all_of(100, ""));
}

TEST_F(ManifestGuardTest, AMisreadHeals) {
  make_store(Left::closed);
  for (const bool has_record : {true, false}) {
    for (const char* name : {"MANIFEST", "CURRENT"}) {
      for (const int which : {0, 1}) {
        SCOPED_TRACE(fmt::format("{}, reading {}, {}", name, which, has_record));
        put_back();
        if (!has_record) fs::remove(record());
        const auto misreads = std::make_shared<MisreadsOnce>(name, which);
        use_file_system_for_tests(misreads);
        EXPECT_THAT(everything_is_there(), IsEmpty());
        close();
        use_file_system_for_tests(nullptr);
        EXPECT_GT(misreads->readings(), which == 0 || !has_record ? 1 : 0);
      }
    }
  }
}

// The end of the write-ahead log, after a reboot: HEAD, which would miss the events, is not
// believed then.
TEST_F(ManifestGuardTest, AMisreadEndOfTheLogHeals) {
  make_store(Left::killed);
  put_back();
  std::string last;
  for (const auto& entry : fs::directory_iterator(store() / "log"))
    if (entry.path().extension() == ".log" && entry.file_size() > 0)
      last = std::max(last, entry.path().filename().string());
  ASSERT_NE(last, "");
  const std::size_t size = fs::file_size(store() / "log" / last);
  ASSERT_LT(size, 32u << 10) << "one reading is all of it";
  for (const int which : {0, 1}) {
    put_back();
    fs::remove(store() / "HEAD");
    const auto misreads = std::make_shared<MisreadsOnce>(last, which);
    use_file_system_for_tests(misreads);
    EXPECT_THAT(everything_is_there(), IsEmpty());
    close();
    use_file_system_for_tests(nullptr);
    EXPECT_GT(misreads->readings(), 1);
  }
}

// Without the record, so that only the families say it.
TEST_F(ManifestGuardTest, FamiliesOfALogWithEventsAreNotMadeAnew) {
  make_store(Left::closed_by_its_first_writer);
  for (const char* family : {"streams", "schemas", "meta"}) {
    SCOPED_TRACE(family);
    put_back();
    fs::remove(record());
    const std::size_t at = whole_.find(family);
    ASSERT_NE(at, std::string::npos);
    put_bytes(manifest_, whole_.substr(0, at));
    EXPECT_THAT(everything_is_there(), HasSubstr("amily not found"));
  }
}

TEST_F(ManifestGuardTest, NoTableIsRemovedBeforeTheLogIsFoundWell) {
  make_store(Left::closed);
  put_back();
  const fs::path log = store() / "log";
  const auto tables = [this] {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : files_of_log())
      if (name.ends_with(".sst")) names.push_back(name);
    return names;
  };
  const std::vector<std::string> before = tables();
  {
    auto rocks = Rocks::open_writer(log, Rocks::Create::never, Rocks::Superfluous::stays);
    ASSERT_TRUE(rocks.ok()) << rocks.error().what;
    ASSERT_TRUE(rocks->compact(Family::log).ok());
    EXPECT_THAT(tables(), IsSupersetOf(before));
    EXPECT_GT(tables().size(), before.size());
    ASSERT_TRUE(rocks->close().ok());
  }
  EXPECT_THAT(tables(), testing::Not(IsSupersetOf(before)));
  EXPECT_THAT(everything_is_there(), IsEmpty());
}

}  // namespace
}  // namespace pievt
