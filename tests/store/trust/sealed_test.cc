// A sealed run is the run: every event, text and byte of output, at any place, wherever the file
// is.
#include <filesystem>

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/query.h"
#include "store/format/hash.h"
#include "store/format/reflect.h"
#include "store/log/fd.h"
#include "store/trust/sealed_file.h"
#include "tests/store/trust/sealed_source.h"
#include "tests/tools/exporters/sample_run.h"
#include "tools/exporters/event_facts.h"

namespace pievt {
namespace {

using testing::HasSubstr;
using tools::exported;

class Sealed : public StoreTest {
 protected:
  Sealed() {
    open();
    sample_ = tools::write_sample(log());
  }

  std::filesystem::path file() const { return directory() / "run.pievt"; }
  std::unique_ptr<RunSource> source(Revision at = {}) {
    return std::move(open_run(log(), sample_.id, at)).value();
  }
  SealReport sealed(const RunSource& run, SealOptions options = {}) {
    options.pievt_version = "0.1.0";
    auto report = seal(run, file(), options);
    EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.error().what);
    return report.ok() ? *report : SealReport{};
  }
  std::unique_ptr<SealedRun> opened(Revision at = {}) {
    auto run = open_sealed(file(), at);
    EXPECT_TRUE(run.ok()) << (run.ok() ? "" : run.error().what);
    return std::move(run).value();
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory()),
                                                  std::filesystem::directory_iterator()));
  }

  tools::SampleRun sample_;
};

TEST_F(Sealed, HoldsTheWholeRun) {
  const auto run = source();
  const SealReport report = sealed(*run);
  const auto back = opened();
  EXPECT_EQ(told(*run), told(*back));
  EXPECT_EQ(texts_of(*run), texts_of(*back));
  EXPECT_EQ(output_of(*back), sample_.stdout_bytes + sample_.session_bytes);
  EXPECT_EQ(back->run_id(), sample_.id);
  EXPECT_EQ(back->facts().events, run->head().value);
  EXPECT_EQ(back->facts().file_bytes, std::filesystem::file_size(file()));
  EXPECT_EQ(back->facts().texts_missing, 0u);
  EXPECT_THAT(back->facts().manifest, HasSubstr(back->facts().events_sha256));
  const std::string bytes = slurp(file());
  EXPECT_EQ(report.sha256, hex(sha256(std::as_bytes(std::span(bytes)))));
  EXPECT_EQ(verify_sealed(file())->verdict, Verdict::whole);
}

TEST_F(Sealed, IsExportedAsTheRunIs) {
  const auto run = source();
  sealed(*run);
  const auto back = opened();
  for (const tools::ExporterRow& row : tools::exporters())
    EXPECT_TRUE(exported(row.name, *run).text == exported(row.name, *back).text) << row.name;
  EXPECT_EQ(back->facts().events_sha256, exported("csv", *run).manifest.events_digest);
}

TEST_F(Sealed, GivesAnyEventByItself) {
  const auto run = source();
  sealed(*run);
  const auto back = opened();
  const auto all = told(*run);
  for (std::uint64_t n = all.size(); n > 0; --n) {
    const Status found = back->event({n}, [&](const EventView& event) -> Status {
      EXPECT_EQ(event.revision().value, n);
      EXPECT_EQ(std::string(reinterpret_cast<const char*>(event.body.data()), event.body.size()),
                all[n - 1].body);
      return {};
    });
    EXPECT_TRUE(found.ok());
  }
  const auto sink = [](const EventView&) -> Status { return {}; };
  EXPECT_EQ(back->event({0}, sink).error().code, Errc::not_found);
  EXPECT_EQ(back->event({all.size() + 1}, sink).error().code, Errc::not_found);
}

TEST_F(Sealed, ShowsTheRunAsItWasAtAnEvent) {
  sealed(*source());
  const std::uint64_t head = source()->head().value;
  for (const std::uint64_t at : {std::uint64_t{1}, std::uint64_t{9}, head - 7, head}) {
    const auto then = source({at});
    const auto back = opened({at});
    EXPECT_EQ(told(*then), told(*back));
    EXPECT_EQ(output_of(*then), output_of(*back)) << at;
  }
}

TEST_F(Sealed, CanBeSealedAgain) {
  sealed(*source());
  const std::string first = slurp(file());
  const auto back = opened();
  const auto again = seal(*back, directory() / "again.pievt", {.pievt_version = "0.1.0"});
  ASSERT_TRUE(again.ok()) << again.error().what;
  EXPECT_EQ(slurp(directory() / "again.pievt"), first);
}

// Many events: more than one frame, and something to learn from.
TEST_F(Sealed, ALongRunHasADictionaryAndIsSmall) {
  std::size_t raw = 0;
  for (int i = 0; i < 3000; ++i) {
    schema::ToolCallStartedT call;
    call.tool = i % 3 == 0 ? "bash" : "read";
    call.call_id = "call-" + std::to_string(i * 7919 % 1000);
    call.call = static_cast<std::uint32_t>(i);
    call.subject = "cat docs/chapter-" + std::to_string(i % 40) + ".md";
    std::vector<NewEvent> events;
    events.push_back({std::move(call), {.job = 1, .attempt = 1}});
    ASSERT_TRUE(log().append(run_stream(sample_.id), Expected::any(), std::move(events)).ok());
  }
  const auto run = source();
  for (const ToldEvent& event : told(*run)) raw += event.body.size() + 40;
  sealed(*run);
  const auto held = sealed::File::open(file());
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(held->frames_of(sealed::Section::dictionary).size(), 1u);
  EXPECT_GT(held->frames_of(sealed::Section::events).size(), 10u);
  std::size_t stored = 0;
  for (const std::size_t frame : held->frames_of(sealed::Section::events))
    stored += held->directory().frames[frame].stored;
  EXPECT_LT(stored * 5, raw);
  EXPECT_EQ(told(*run), told(*opened()));
  EXPECT_EQ(verify_sealed(file())->verdict, Verdict::whole);
}

// The shape of events comes with the file, also when this program knows nothing of it.
TEST_F(Sealed, ALaterVersionsEventsAreShownAndKept) {
  tools::append_unknown(log(), sample_.id);
  const auto run = source();
  ChangedRun later(*run);
  // A schema that is not this program's: a type has another name in it.
  const auto own = reflect::embedded_events_bfbs();
  std::string binary(reinterpret_cast<const char*>(own.data()), own.size());
  for (std::size_t at = 0; (at = binary.find("GateOpened", at)) != std::string::npos; ++at)
    binary.replace(at, 10, "GateOpenee");
  const auto bytes = std::as_bytes(std::span(binary));
  later.hash = 42;
  later.binary.assign(bytes.begin(), bytes.end());
  sealed(later);
  const auto back = opened();
  EXPECT_EQ(told(*run), told(*back));
  EXPECT_EQ(texts_of(later), texts_of(*back));
  EXPECT_EQ(exported("jsonl", later).text, exported("jsonl", *back).text);
  EXPECT_THAT(exported("jsonl", *back).text, HasSubstr("\"type\":\"GateOpenee\""));
  EXPECT_THAT(exported("jsonl", *back).text, HasSubstr("\"type\":\"unknown(200)\""));
  EXPECT_EQ(verify_sealed(file())->verdict, Verdict::whole);
}

TEST_F(Sealed, WhatIsMissingIsSaid) {
  const auto run = source();
  ChangedRun redacted(*run);
  redacted.missing_text = texts_of(*run).begin()->first;
  const SealReport report = sealed(redacted);
  EXPECT_EQ(report.facts.texts_missing, 1u);
  EXPECT_EQ(texts_of(redacted), texts_of(*opened()));
  const auto verified = verify_sealed(file());
  ASSERT_TRUE(verified.ok());
  EXPECT_EQ(verified->verdict, Verdict::incomplete);
  EXPECT_EQ(verified->findings_total, 1u);
}

TEST_F(Sealed, AFileThatIsThereIsNotReplacedUnasked) {
  spill(file(), "precious");
  const auto refused = seal(*source(), file(), {.pievt_version = "0.1.0"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::invalid);
  EXPECT_EQ(slurp(file()), "precious");
  SealOptions options;
  options.existing = SealOptions::Existing::replace;
  sealed(*source(), options);
  EXPECT_EQ(verify_sealed(file())->verdict, Verdict::whole);
  std::filesystem::create_directory(directory() / "folder");
  EXPECT_EQ(seal(*source(), directory() / "folder", options).error().code, Errc::invalid);
}

// As after a kill between the file's name and the record of it.
TEST_F(Sealed, AFileThatIsJustWhatWouldBeWrittenCanBeAccepted) {
  const auto run = source();
  ChangedRun redacted(*run);
  redacted.missing_text = texts_of(*run).begin()->first;
  SealOptions options;
  options.pievt_version = "0.1.0";
  options.existing = SealOptions::Existing::accept;
  const SealReport first = sealed(*run, options);
  const auto written = std::filesystem::last_write_time(file());
  const std::size_t before = files();
  EXPECT_EQ(sealed(*run, options).sha256, first.sha256);
  EXPECT_EQ(std::filesystem::last_write_time(file()), written);
  EXPECT_EQ(files(), before);
  // One that has less of the run, one that is damaged, and none.
  EXPECT_EQ(seal(redacted, file(), options).error().code, Errc::invalid);
  std::string bytes = slurp(file());
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  spill(file(), bytes);
  EXPECT_EQ(seal(*run, file(), options).error().code, Errc::invalid);
  spill(file(), "precious");
  EXPECT_EQ(seal(*run, file(), options).error().code, Errc::invalid);
  EXPECT_EQ(slurp(file()), "precious");
  EXPECT_EQ(files(), before);
}

// Whoever is killed cannot tidy up, and its pid may be ours.
TEST_F(Sealed, WhatAKilledWriterLeftGoesWithTheNextOne) {
  const auto beside = [&](std::string_view ending) {
    return std::filesystem::path(file().string() + std::string(ending));
  };
  const std::filesystem::path ours = beside(fmt::format(".{}.part", ::getpid()));
  const std::filesystem::path theirs = beside(".2.part"), living = beside(".3.part");
  const std::vector others = {beside(".part"), beside(".x3.part"), beside(".3.parts"),
                              directory() / "other.pievt.4.part"};
  for (const auto& path : {ours, theirs, living}) spill(path, "a part");
  for (const auto& path : others) spill(path, "of somebody else");
  const Fd held(::open(living.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
  sealed(*source());
  EXPECT_FALSE(std::filesystem::exists(ours));
  EXPECT_FALSE(std::filesystem::exists(theirs));
  EXPECT_TRUE(std::filesystem::exists(living));
  for (const auto& path : others) EXPECT_EQ(slurp(path), "of somebody else") << path;
}

TEST_F(Sealed, NothingIsLeftOfAFailure) {
  const std::size_t before = files();
  const auto run = source();
  ChangedRun broken(*run);
  broken.fails_at = {7};
  EXPECT_EQ(seal(broken, file(), {.pievt_version = "0.1.0"}).error().code, Errc::io);
  EXPECT_EQ(seal(*run, directory() / "nowhere" / "run.pievt", {}).error().code, Errc::not_found);
  EXPECT_EQ(files(), before);
}

// A file that may not grow further, as on a full disk.
TEST_F(Sealed, NothingIsLeftWhereThereIsNoRoom) {
  const auto run = source();
  const std::size_t before = files();
  const auto ignored = ::signal(SIGXFSZ, SIG_IGN);
  rlimit was{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &was), 0);
  const rlimit tight{2000, was.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  const auto full = seal(*run, file(), {.pievt_version = "0.1.0"});
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &was), 0);
  ::signal(SIGXFSZ, ignored);
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, Errc::io);
  EXPECT_THAT(full.error().what, HasSubstr("nothing is left of it"));
  EXPECT_EQ(files(), before);
}

TEST_F(Sealed, ARunThatGoesOnIsNotSealed) {
  const auto early = source({12});
  const auto refused = seal(*early, file(), {.pievt_version = "0.1.0"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::invalid_transition);
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(Sealed, TheStoreKnowsOfIt) {
  const auto place = sealed_place(store(), sample_.id);
  ASSERT_TRUE(place.ok());
  const auto report = seal(*source(), *place, {.pievt_version = "0.1.0"});
  ASSERT_TRUE(report.ok()) << report.error().what;
  ASSERT_TRUE(record_sealed(log(), *report, *place).ok());
  auto reader = log().read_stream("store", {1});
  std::string file, digest;
  while (reader.next()) {
    if (const auto* event = reader.event().envelope->payload_as_RunSealed()) {
      file = event->file()->str();
      digest = hex(std::as_bytes(std::span(event->digest(), 1)));
    }
  }
  EXPECT_EQ(file, "sealed/r-1.pievt");
  EXPECT_EQ(digest, report->sha256);
  EXPECT_EQ(sealed_place(store(), "../r").error().code, Errc::invalid);
}

}  // namespace
}  // namespace pievt
