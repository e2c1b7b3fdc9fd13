// Each rule: where it finds something, at which place, and where it does not.
#include "supervisor/lint/lint.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "supervisor/launch/list_models.h"
#include "tests/supervisor/workspace/directory.h"

namespace pievt::lint {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Lint : public ::testing::Test {
 protected:
  // "line:column rule" of what counts.
  std::vector<std::string> found(const std::string& text, Severity least = Severity::warning) {
    directory_.write("plan.json", text);
    const auto file = plan::read_plan_file(directory_.path("plan.json"));
    if (!file.ok()) return {file.error().what};
    std::vector<std::string> out;
    for (const Finding& finding :
         lint(*file, {"plan.json", directory_.root(),
                      [](const std::string& model) -> std::optional<std::string> {
                        if (model == "known") return std::nullopt;
                        return "unknown " + model;
                      }})) {
      if (finding.severity <= least)
        out.push_back(fmt::format("{}:{} {}", finding.line, finding.column, finding.rule));
    }
    return out;
  }
  std::vector<std::string> of_contract(const std::string& contract) {
    return found(R"({"jobs":[{"prompt":"p","acceptance":)" + contract + "}]}");
  }

  test::Directory directory_;
};

TEST_F(Lint, AGoodPlanHasNothing) {
  EXPECT_THAT(of_contract(R"({"requiredPaths":["a.md"],"allowedWritePaths":["*.md","out/"]})"),
              IsEmpty());
}

TEST_F(Lint, PatternsThatAreNone) {
  EXPECT_THAT(found("{\"jobs\":[{\"prompt\":\"p\",\"acceptance\":{\n"
                    "  \"requiredFinalRegex\": [\"ok\", \"(\"],\n"
                    "  \"requiredPaths\": [{\"path\":\"a\",\"requiredRegex\":[\"[\"]}]}}]}"),
              ElementsAre("2:32 bad-regex", "3:50 bad-regex"));
}

TEST_F(Lint, PathsThatMatchNothing) {
  EXPECT_THAT(of_contract(R"({"allowedWritePaths":["./out/"]})"), ElementsAre("1:59 cannot-match"));
  EXPECT_THAT(of_contract(R"({"requiredPaths":[{"path":"./*.md","type":"glob"}]})"),
              ElementsAre("1:63 cannot-match"));
  EXPECT_THAT(of_contract(R"({"requiredPaths":["out/"]})"), ElementsAre("1:55 trailing-slash"));
  EXPECT_THAT(of_contract(R"({"requiredPaths":["*.md"]})"), ElementsAre("1:55 literal-star"));
  EXPECT_THAT(of_contract(R"({"allowedWritePaths":["a?.md"]})"),
              ElementsAre("1:59 literal-letters"));
}

TEST_F(Lint, ContractsThatContradictThemselves) {
  EXPECT_THAT(of_contract(R"({"requiredPaths":["a"],"forbiddenPaths":["./a"]})"),
              ElementsAre("1:55 contradiction"));
  EXPECT_THAT(of_contract(R"({"requiredFinalRegex":["x"],"forbiddenFinalRegex":["x"]})"),
              ElementsAre("1:60 contradiction"));
  EXPECT_THAT(of_contract(R"({"requiredPaths":["a.md"],"allowedWritePaths":["b/"]})"),
              ElementsAre("1:55 outside-own-zone"));
}

TEST_F(Lint, ZonesOfJobsThatMayRunTogether) {
  const std::string a = R"({"id":"a","prompt":"p","acceptance":{"allowedWritePaths":["out/"]}})";
  const auto b = [](const std::string& more) {
    return R"({"id":"b","prompt":"p","acceptance":{"allowedWritePaths":["out/b.md"]})" + more + "}";
  };
  EXPECT_THAT(found(R"({"jobs":[)" + a + "," + b("") + "]}"), ElementsAre("1:68 zones-overlap"));
  EXPECT_THAT(found(R"({"jobs":[)" + a + "," + b(R"(,"dependsOn":["a"])") + "]}"), IsEmpty());
  EXPECT_THAT(found(R"({"jobs":[)" + a + "," + b(R"(,"isolation":"worktree")") + "]}"), IsEmpty());
  test::fs::create_directories(directory_.root() / "other");
  EXPECT_THAT(found(R"({"jobs":[)" + a + "," + b(R"(,"cwd":"other")") + "]}"), IsEmpty());
}

TEST_F(Lint, ModelsAndDirectories) {
  EXPECT_THAT(found(R"({"jobs":[{"prompt":"p","model":"known"}]})"), IsEmpty());
  EXPECT_THAT(found(R"({"jobs":[{"prompt":"p","model":"other"}]})"),
              ElementsAre("1:32 unknown-model"));
  EXPECT_THAT(found(R"({"defaults":{"cwd":"no/such"},"jobs":[{"prompt":"p"},{"prompt":"q"}]})"),
              ElementsAre("1:20 missing-cwd"));
}

TEST_F(Lint, ListsThatAreEmptyAfterExpansion) {
  EXPECT_THAT(found(R"({"jobs":[{"prompt":"p","vars":{"f":[]},
"acceptance":{"requiredPaths":["{{f}}"]}}]})"),
              ElementsAre("2:32 empty-splat"));
}

TEST_F(Lint, NotesAreSaidAndDoNotCount) {
  EXPECT_THAT(found(R"({"jobs":[{"prompt":"p"}]})", Severity::note),
              ElementsAre("1:10 no-content-check"));
  EXPECT_THAT(
      found(R"({"jobs":[{"prompt":"p","acceptance":{"command":{"run":"true"}}}]})", Severity::note),
      IsEmpty());
}

TEST_F(Lint, AJobThatWaitsForItselfIsRefused) {
  EXPECT_THAT(found(R"({"jobs":[{"id":"a","prompt":"p","dependsOn":["a"]}]})"),
              ElementsAre(::testing::HasSubstr("plan.json:1:")));
}

TEST(Models, TableOfPiIsRead) {
  const auto models = launch::models_in(
      "warming up\nprovider   model        context\nanthropic  claude-x     200K\nopen  m/1 8K\n");
  EXPECT_THAT(models, ElementsAre("anthropic/claude-x", "claude-x", "m/1", "open/m/1"));
  EXPECT_THAT(launch::models_in("nothing of the kind\n"), IsEmpty());
  EXPECT_EQ(launch::model_name("a/b:high"), "a/b");
  EXPECT_EQ(launch::model_name("a/b:7b"), "a/b:7b");
}

}  // namespace
}  // namespace pievt::lint
