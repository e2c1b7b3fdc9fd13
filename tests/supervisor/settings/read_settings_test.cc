// What a config.json may say, what its mistakes are called, and what pi-jobs' file adds.
#include "supervisor/settings/read_settings.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "supervisor/plan/disk_files.h"
#include "supervisor/settings/jobs_settings.h"
#include "supervisor/settings/settings_json.h"

namespace pievt::settings {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view everything = R"({
  // What nobody decides is absent.
  "$schema": "https://example.org/config.schema.json",
  "concurrency": 6,
  "timeout": "20m",
  "retry": {"maxAttempts": 3, "backoffMs": {"initial": 100, "jitter": false}, "retryOn": ["launch"],
            "session": "resume"},
  "budget": {"retries": 10, "cost": 2.5, "time": "8h"},
  "throttle": {"enabled": true, "windowSize": 8},
  "silence": {"thinking": "5m", "tool": "30m", "provider": "90s"},
  "store": {"concurrency": 12, "childMemoryMiB": 512},
  "hooks": {"onFinish": ["notify", "--token", "abc"],
            "onAttention": {"run": ["page-me"], "timeout": "5s"}},
  "environment": {"allow": ["JAVA_HOME"], "deny": ["TZ"]},
  "secrets": {"report": true, "mask": true},
  "workers": {"extensions": ["./guard.ts", "npm:thing", "./guard.ts", " ~/mine.ts "],
              "onCallerGone": "continue", "secondAttempt": "Look around first."},
})";

Settings parsed(std::string text) {
  auto settings = parse_settings("config.json", std::move(text), "/project");
  EXPECT_TRUE(settings.ok()) << (settings.ok() ? "" : settings.error().what);
  return settings.ok() ? std::move(settings).value() : Settings{};
}

std::string refused(std::string text) {
  const auto settings = parse_settings("config.json", std::move(text), "/project");
  return settings.ok() ? "accepted" : settings.error().what;
}

TEST(Settings, EveryKeyIsRead) {
  const Settings all = parsed(std::string(everything));
  EXPECT_EQ(all.concurrency, 6u);
  EXPECT_EQ(all.timeout_ms, 20u * 60 * 1000);
  EXPECT_EQ(all.retry.max_attempts, 3u);
  EXPECT_EQ(all.retry.initial_ms, 100u);
  EXPECT_EQ(all.retry.jitter, false);
  EXPECT_EQ(all.budget->retries, 10u);
  EXPECT_EQ(all.budget->cost_nanodollars, 2'500'000'000);
  EXPECT_EQ(all.throttle->window_size, 8u);
  EXPECT_EQ(all.silence.tool_ms, 30u * 60 * 1000);
  EXPECT_EQ(all.silence.provider_ms, 90'000u);
  EXPECT_EQ(all.store_concurrency, 12u);
  EXPECT_EQ(all.child_memory_bytes, std::uint64_t{512} << 20);
  EXPECT_EQ(all.on_finish, (Hook{{"notify", "--token", "abc"}, 30'000}));
  EXPECT_EQ(all.on_attention, (Hook{{"page-me"}, 5'000}));
  EXPECT_THAT(all.environment_allow, ElementsAre("JAVA_HOME"));
  EXPECT_THAT(all.environment_deny, ElementsAre("TZ"));
  EXPECT_TRUE(all.mask_secrets);
  EXPECT_THAT(all.worker_extensions, ElementsAre("/project/guard.ts", "npm:thing", "~/mine.ts"));
  EXPECT_EQ(all.on_caller_gone, CallerGone::go_on);
  EXPECT_EQ(all.second_attempt, "Look around first.");
}

TEST(Settings, WhatIsWrittenDownMeansTheSameAndTellsNoArguments) {
  const Settings all = parsed(std::string(everything));
  const std::string json = settings_json(all);
  EXPECT_THAT(json, testing::Not(HasSubstr("abc"))) << "an argument of a hook may be a secret";
  EXPECT_EQ(settings_json(parsed(json)), json);
  EXPECT_EQ(settings_json(parsed("{}")), settings_json(Settings{}));
}

TEST(Settings, AMistakeIsNamedWithItsPlace) {
  EXPECT_EQ(refused("{\n  \"concurency\": 4\n}"),
            "config.json:2:3: unknown key \"concurency\" in the settings; did you mean "
            "\"concurrency\"?");
  EXPECT_EQ(refused(R"({"workers": {"extension": []}})"),
            "config.json:1:14: unknown key \"extension\" in \"workers\" of the settings; did you "
            "mean \"extensions\"?");
  EXPECT_THAT(refused(R"({"worker": {}})"), HasSubstr("did you mean \"workers\"?"));
  EXPECT_THAT(refused(R"({"retry": {"maxAttemps": 2}})"), HasSubstr("\"maxAttempts\""));
  EXPECT_THAT(refused("[]"), HasSubstr("config.json:1:1: the settings must be an object"));
  EXPECT_THAT(refused(R"({"timeout": 5})"), HasSubstr("a duration such as"));
  EXPECT_THAT(refused(R"({"timeout": "5 parsecs"})"), HasSubstr("config.json:1:13"));
  EXPECT_THAT(refused(R"({"hooks": {"onFinish": []}})"), HasSubstr("must name a program"));
  EXPECT_THAT(refused(R"({"environment": {"allow": ["A=B"]}})"), HasSubstr("name of a variable"));
  EXPECT_THAT(refused(R"({"concurrency": 0})"), HasSubstr("from 1 to"));
  EXPECT_THAT(refused(R"({"workers": {"onCallerGone": "die"}})"), HasSubstr("\"continue\""));
  EXPECT_THAT(refused(R"({"concurrency": 1, "concurrency": 2})"), HasSubstr("config.json:1:"));
}

class SettingsFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::path(testing::TempDir()) / "settings-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    fs::create_directories(root_ / ".pievt");
    fs::create_directories(root_ / "sub" / ".pi");
  }
  void TearDown() override { fs::remove_all(root_); }
  void write(const fs::path& path, std::string_view text) { std::ofstream(root_ / path) << text; }
  Result<SettingsFile> load() { return load_settings(root_ / ".pievt", root_ / "sub"); }

  fs::path root_;
};

TEST_F(SettingsFiles, NoneIsTheDefaults) {
  const auto loaded = load();
  ASSERT_TRUE(loaded.ok());
  EXPECT_TRUE(loaded->files.empty());
  EXPECT_EQ(settings_json(loaded->settings), settings_json(Settings{}));
}

TEST_F(SettingsFiles, PiJobsOwnFileIsTheLowerLayer) {
  write(".pievt/config.json", R"({"workers": {"extensions": ["./a.ts"]}})");
  write("sub/.pi/jobs-settings.json",
        R"({"workerExtensions": {"include": ["./b.ts", " npm:x "]}, "waveGuidance": {"max": 9}})");
  const auto loaded = load();
  ASSERT_TRUE(loaded.ok()) << loaded.error().what;
  EXPECT_THAT(loaded->settings.worker_extensions,
              ElementsAre((root_ / "a.ts").string(), (root_ / "sub" / "b.ts").string(), "npm:x"));
  EXPECT_EQ(loaded->settings.guidance.wave_max, 9u);
  EXPECT_EQ(loaded->files.size(), 2u);
}

TEST_F(SettingsFiles, OneThatCannotBeReadIsAnErrorOursAndAWarningTheirs) {
  write("sub/.pi/jobs-settings.json", "{nonsense");
  const auto loaded = load();
  ASSERT_TRUE(loaded.ok());
  ASSERT_EQ(loaded->warnings.size(), 1u);
  EXPECT_THAT(loaded->warnings[0], HasSubstr("jobs-settings.json:1:2"));
  write(".pievt/config.json", "{nonsense");
  EXPECT_THAT(load().error().what, HasSubstr("config.json:1:2"));
}

// One of the recorded cases: `in` as pi-jobs read it, and what it made of it.
void expect_as_recorded(plan::JsonView one) {
  const JobsSettings have = normalise_jobs_settings(*one.find("in"));
  const auto normalized = *one.find("normalized");
  const auto waves = *normalized.find("waveGuidance");
  EXPECT_EQ(have.guidance.waves, waves.find("enabled")->boolean());
  EXPECT_EQ(have.guidance.wave_min, waves.find("min")->whole_number());
  EXPECT_EQ(have.guidance.wave_max, waves.find("max")->whole_number());
  EXPECT_EQ(have.guidance.sync_first, normalized.find("syncFirstGuidance")->boolean());
  std::vector<std::string> include;
  const auto entries = *normalized.find("workerExtensions")->find("include");
  for (const auto entry : entries) include.emplace_back(entry.string());
  EXPECT_EQ(have.extensions, include);
}

constexpr std::string_view our_cases = R"([
  {"in": {"waveGuidance": {"min": 8, "max": 2, "enabled": "no"}, "syncFirstGuidance": false,
          "workerExtensions": {"include": ["a", " a", "", 7, "./b"]}, "extra": 1},
   "normalized": {"waveGuidance": {"enabled": true, "min": 8, "max": 8}, "syncFirstGuidance": false,
                  "workerExtensions": {"include": ["a", "./b"]}}},
  {"in": {"waveGuidance": {"enabled": false, "min": 0.5, "max": 101}},
   "normalized": {"waveGuidance": {"enabled": false, "min": 4, "max": 6}, "syncFirstGuidance": true,
                  "workerExtensions": {"include": []}}},
  {"in": [],
   "normalized": {"waveGuidance": {"enabled": true, "min": 4, "max": 6}, "syncFirstGuidance": true,
                  "workerExtensions": {"include": []}}}])";

TEST(JobsSettings, IsUnderstoodAsPiJobsDoes) {
  std::vector<std::string> texts{std::string(our_cases)};
  const char* shared = std::getenv("PIEVT_SHARED");
  plan::DiskFiles files(shared != nullptr ? shared : PIEVT_SOURCE_DIR "/../shared");
  auto recorded = files.read("fixtures/pi-jobs/vectors/settings.json", std::size_t{1} << 20);
  if (recorded.ok()) texts.push_back(std::move(*recorded));
  for (const std::string& text : texts) {
    plan::Problems problems;
    const plan::Source source("settings.json", text);
    const auto tree = plan::JsonTree::parse(source, problems);
    ASSERT_TRUE(tree);
    for (const auto one : tree->root()) expect_as_recorded(one);
  }
}

}  // namespace
}  // namespace pievt::settings
