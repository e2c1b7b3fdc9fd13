// Versions are read as pi prints them, and each way in which a pi can be unusable has a sentence
// that says what to do.
#include "supervisor/launch/pi_program.h"

#include <chrono>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>

#include "supervisor/process/sweep.h"
#include "tests/supervisor/launch/testing.h"

namespace pievt::launch {
namespace {

using ::testing::HasSubstr;
using testing::TempDir;
using testing::write_script;

TEST(PiVersion, ReadsWhatIsAVersionAndNothingElse) {
  const struct {
    std::string_view text;
    std::optional<PiVersion> version;
  } cases[] = {
      {"0.73.1", PiVersion{0, 73, 1}},
      {"1.5.2", PiVersion{1, 5, 2}},
      {"v10.0.0", PiVersion{10, 0, 0}},
      {"1.6.0-rc.1", PiVersion{1, 6, 0}},
      {"1.6.0+build-5", PiVersion{1, 6, 0}},
      {"4294967295.0.0", PiVersion{std::numeric_limits<std::uint32_t>::max(), 0, 0}},
      {"4294967296.0.0", std::nullopt},
      {"", std::nullopt},
      {"v", std::nullopt},
      {"1.5", std::nullopt},
      {"1.5.", std::nullopt},
      {"1.5.2.3", std::nullopt},
      {"1.5.2-", std::nullopt},
      {"1.5.2 ", std::nullopt},
      {"-1.5.2", std::nullopt},
      {"+1.5.2", std::nullopt},
      {"1.-5.2", std::nullopt},
      {" 1.5.2", std::nullopt},
      {"1.5.2-a b", std::nullopt},
  };
  for (const auto& each : cases) EXPECT_EQ(PiVersion::parse(each.text), each.version) << each.text;
}

TEST(PiVersion, IsOrderedByNumbers) {
  EXPECT_LT((PiVersion{0, 73, 9}), (PiVersion{0, 73, 10}));
  EXPECT_LT((PiVersion{0, 99, 0}), (PiVersion{1, 0, 0}));
  EXPECT_EQ((PiVersion{1, 5, 2}).text(), "1.5.2");
}

TEST(VersionInOutput, IsALineOfItsOwnInEitherStream) {
  EXPECT_EQ(version_in_output("1.5.2\n", ""), (PiVersion{1, 5, 2}));
  EXPECT_EQ(version_in_output("", "0.73.1\n"), (PiVersion{0, 73, 1}));
  EXPECT_EQ(version_in_output("", "(node:7) Warning: v20.1.0 is old\r\n0.73.1\r\n"),
            (PiVersion{0, 73, 1}));
  EXPECT_EQ(version_in_output("pi 1.0.0", ""), (PiVersion{1, 0, 0}));
  EXPECT_EQ(version_in_output("1.0.0", "9.9.9"), (PiVersion{1, 0, 0}));
  EXPECT_EQ(version_in_output("node 20.1.0\n", "no 1.2.3 here"), std::nullopt);
  EXPECT_EQ(version_in_output("", ""), std::nullopt);
}

class ProbePi : public ::testing::Test {
 protected:
  Result<PiProgram> probe(std::string_view body) {
    return probe_pi(write_script(dir_ / "pi", body).string(), testing::usual_environment());
  }
  TempDir dir_;
};

TEST_F(ProbePi, FindsTheOneOnTheChildsPath) {
  write_script(dir_ / "pi", "echo 1.5.2");
  const auto found = probe_pi("pi", {{"PATH", dir_.path().string() + ":/usr/bin:/bin"}});
  ASSERT_TRUE(found.ok()) << found.error().what;
  EXPECT_EQ(found->path, (dir_ / "pi").string());
  EXPECT_EQ(found->version, (PiVersion{1, 5, 2}));
}

TEST_F(ProbePi, ReadsTheVersionFromStandardError) {
  const auto found = probe("echo 0.73.1 >&2");
  ASSERT_TRUE(found.ok()) << found.error().what;
  EXPECT_EQ(found->version, (PiVersion{0, 73, 1}));
}

TEST_F(ProbePi, IsOfflineInAPrivateDirectoryWithoutInput) {
  const auto seen = dir_ / "seen";
  const auto found = probe("{ cat; echo \"$PI_OFFLINE $PI_CODING_AGENT_DIR $TMPDIR\"; pwd; } >" +
                           seen.string() + "; touch \"$TMPDIR/left\"; echo 1.0.0");
  ASSERT_TRUE(found.ok()) << found.error().what;
  std::ifstream file(seen);
  std::string offline, agent, temporary, cwd;
  file >> offline >> agent >> temporary >> cwd;
  EXPECT_EQ(offline, "1");
  EXPECT_EQ(agent, temporary + "/agent");
  EXPECT_FALSE(std::filesystem::exists(temporary)) << "what the probe left is removed";
}

TEST_F(ProbePi, SaysWhatToDo) {
  const auto error_of = [](const Result<PiProgram>& result) {
    return result.ok() ? Error{Errc{}, "no error"} : result.error();
  };
  const auto missing = error_of(probe_pi("pi", {{"PATH", dir_.path().string()}}));
  EXPECT_EQ(missing.code, Errc::not_found);
  EXPECT_THAT(missing.what, HasSubstr(dir_.path().string()));
  EXPECT_THAT(missing.what, HasSubstr("--pi PATH"));

  testing::write_file(dir_ / "plain", "1.0.0");
  EXPECT_EQ(error_of(probe_pi((dir_ / "plain").string(), testing::usual_environment())).code,
            Errc::invalid);

  const auto old = error_of(probe("echo 0.72.9"));
  EXPECT_EQ(old.code, Errc::unsupported);
  EXPECT_THAT(old.what, HasSubstr("is pi 0.72.9; the oldest that can be supervised is 0.73.0"));

  const auto strange = error_of(probe("printf 'Hello\\033[1m\\nworld\\n'"));
  EXPECT_EQ(strange.code, Errc::unsupported);
  EXPECT_THAT(strange.what, HasSubstr("\"Hello?[1m world\""));

  const auto broken = error_of(probe("echo 'needs node 22' >&2; exit 3"));
  EXPECT_EQ(broken.code, Errc::unsupported);
  EXPECT_THAT(broken.what, HasSubstr("exited with 3 and said \"needs node 22\""));

  const auto killed = error_of(probe("kill -9 $$"));
  EXPECT_THAT(killed.what, HasSubstr("was ended by signal 9 and said nothing"));
}

TEST_F(ProbePi, KillsOneThatHangsWithAllItStarted) {
  const auto marker = dir_ / "marker";
  write_script(dir_ / "pi",
               "echo \"$PIEVT_ATTEMPT\" >" + marker.string() + "\nsetsid sleep 1000 &\nwait");
  const auto result =
      probe_pi((dir_ / "pi").string(), testing::usual_environment(), std::chrono::seconds{5});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Errc::busy);
  EXPECT_THAT(result.error().what, HasSubstr("within 5000 ms"));
  std::string attempt = testing::read_file(marker);
  ASSERT_FALSE(attempt.empty());
  attempt.pop_back();
  const auto left = process::find_marked(attempt);
  ASSERT_TRUE(left.ok());
  EXPECT_TRUE(left->found.empty());
}

TEST_F(ProbePi, SurvivesAFlood) {
  const auto result = probe("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo 1.0.0");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Errc::unsupported);
  EXPECT_LT(result.error().what.size(), 1000u);
}

}  // namespace
}  // namespace pievt::launch
