// The real pi of both versions, where scripts/install-pi has put them (or PIEVT_PI_0_73 and
// PIEVT_PI_1_5 name them): it is recognised, and it accepts the private directory, the environment
// and the command line made for it. No model is asked: with an empty prompt pi prints its header
// and ends.
#include <cstdlib>
#include <string>
#include <vector>

#include <unistd.h>

#include <gmock/gmock.h>

#include "supervisor/launch/agent_dir.h"
#include "supervisor/launch/attempt_files.h"
#include "supervisor/launch/command.h"
#include "supervisor/launch/environment.h"
#include "supervisor/launch/pi_program.h"
#include "tests/supervisor/launch/testing.h"

namespace pievt::launch {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct RealPi {
  std::string path;
  PiVersion line;  ///< major and minor
};

std::vector<RealPi> installed() {
  const struct {
    const char* variable;
    const char* usual;
    PiVersion line;
  } places[] = {{"PIEVT_PI_0_73", PIEVT_PI_DIR "/0.73.1/bin/pi", {0, 73, 0}},
                {"PIEVT_PI_1_5", PIEVT_PI_DIR "/1.5.2/bin/pi", {1, 5, 0}}};
  std::vector<RealPi> out;
  for (const auto& place : places) {
    const char* named = std::getenv(place.variable);
    const std::string path = named != nullptr ? named : place.usual;
    if (::access(path.c_str(), X_OK) == 0) out.push_back({path, place.line});
  }
  return out;
}

class RealPiTest : public ::testing::TestWithParam<RealPi> {};

TEST_P(RealPiTest, IsRecognisedAndTakesWhatIsMadeForIt) {
  const testing::TempDir dir;
  const auto program = probe_pi(GetParam().path, testing::usual_environment());
  ASSERT_TRUE(program.ok()) << program.error().what;
  EXPECT_EQ(program->version.major, GetParam().line.major);
  EXPECT_EQ(program->version.minor, GetParam().line.minor);

  testing::write_file(dir / "user/models.json",
                      R"({"providers":{"stub":{"baseUrl":"http://127.0.0.1:9/v1",
                          "api":"openai-completions","apiKey":"k","models":[{"id":"text"}]}}})");
  testing::write_file(dir / "user/settings.json", R"({"extensions":["/nonexistent.ts"]})");
  std::filesystem::create_directory(dir / "work");
  const auto files = create_attempt_files(dir.path(), {"run", "job", 1}, "");
  ASSERT_TRUE(files.ok()) << files.error().what;
  const auto prepared =
      prepare_agent_dir({files->agent_directory, dir / "user", program->version, PiMode::json});
  ASSERT_TRUE(prepared.ok()) << prepared.error().what;
  EnvironmentRequest wanted;
  wanted.provider = "stub";
  wanted.agent_directory = files->agent_directory;
  wanted.temporary_directory = files->temporary_directory;
  wanted.attempt = "real-pi-test";
  auto environment = select_environment(testing::usual_environment(), wanted);
  ASSERT_TRUE(environment.ok());

  PiCommand command;
  command.program = program->path;
  command.version = program->version;
  command.session = files->session;
  command.model = "stub/text";
  command.thinking = "off";
  command.tools = {"read", "bash"};
  auto child =
      process::spawn({pi_arguments(command), environment->variables, dir / "work",
                      process::InputFile{files->prompt}, process::OutputFile{files->output},
                      process::OutputFile{files->error}});
  ASSERT_TRUE(child.ok()) << child.error().what;
  ASSERT_TRUE(child->process.wait_for_end(process::Clock::now() + std::chrono::seconds{60}));
  const auto status = child->process.reap();
  ASSERT_TRUE(status.ok() && status->has_value());
  const std::string error = testing::read_file(files->error);
  EXPECT_EQ((*status)->exit_code, 0) << error;
  EXPECT_THAT(testing::read_file(files->output), StartsWith("{\"type\":\"session\"")) << error;
  EXPECT_THAT(testing::read_file(files->output), HasSubstr((dir / "work").string()));
  EXPECT_THAT(error, ::testing::Not(HasSubstr("settings"))) << "generated settings are understood";
  EXPECT_TRUE(std::filesystem::is_symlink(files->agent_directory / "auth.json"));
  EXPECT_TRUE(remove_attempt_files(dir.path(), {"run", "job", 1}).ok());
  EXPECT_FALSE(std::filesystem::exists(files->directory));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RealPiTest);
INSTANTIATE_TEST_SUITE_P(Installed, RealPiTest, ::testing::ValuesIn(installed()),
                         [](const auto& each) {
                           return "pi_" + std::to_string(each.param.line.major) + "_" +
                                  std::to_string(each.param.line.minor);
                         });

}  // namespace
}  // namespace pievt::launch
