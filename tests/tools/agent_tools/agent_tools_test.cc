// What is refused before anything is written, and the plans that calls become. The recorded cases
// of pi-jobs, beside the checkout, are decided the same way when they are there.
#include "tools/agent_tools/agent_tools.h"

#include <cstdlib>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "supervisor/plan/canonical.h"
#include "supervisor/plan/disk_files.h"
#include "supervisor/plan/read_plan.h"
#include "tools/agent_tools/guards.h"

namespace pievt::tools {
namespace {

using testing::HasSubstr;

class NoFiles : public plan::FileSource {
 public:
  Result<std::string> read(const std::string&, std::size_t) override {
    return Error{Errc::not_found, "no file"};
  }
  Result<std::vector<std::string>> glob(const std::string&, std::size_t) override {
    return std::vector<std::string>{};
  }
};

// The plan of a call, or why it is refused.
Result<std::string> plan_text(std::string_view tool, const std::string& arguments,
                              const Caller& caller = {}) {
  plan::Problems problems;
  const plan::Source source("arguments", arguments);
  const auto tree = plan::JsonTree::parse(source, problems);
  if (!tree) return problems.error();
  return (*find_agent_tool(tool).value()->plan)(tree->root(), caller);
}

plan::Plan plan_of(std::string_view tool, const std::string& arguments, const Caller& caller = {}) {
  const auto text = plan_text(tool, arguments, caller);
  EXPECT_TRUE(text.ok()) << (text.ok() ? "" : text.error().what);
  NoFiles files;
  auto plan = plan::read_plan("call", text.ok() ? *text : "{}", files);
  EXPECT_TRUE(plan.ok()) << (plan.ok() ? "" : plan.error().what);
  return plan.ok() ? std::move(plan).value() : plan::Plan{};
}

std::string refusal(std::string_view tool, const std::string& arguments) {
  const auto text = plan_text(tool, arguments);
  return text.ok() ? "accepted" : text.error().what;
}

std::string one_job(std::string_view name, std::string_view prompt, std::string_view more = "") {
  return fmt::format(R"({{"jobs":[{{"name":{},"prompt":{}}}]{}}})", plan::json_text(name),
                     plan::json_text(prompt), more);
}

TEST(AgentTools, JobBecomesAPlanOfOne) {
  const plan::Plan plan =
      plan_of("job",
              R"({"name":"Review","prompt":"Say \"hi\"","timeoutMs":20000,"retry":{"maxAttempts":1},
          "acceptance":{"requiredPaths":["out.md"]},"metadata":{"a":"b"},"detach":true})",
              {"stub/large", "high"});
  ASSERT_EQ(plan.jobs.size(), 1u);
  const plan::JobSpec& job = plan.jobs[0];
  EXPECT_EQ(plan.name, "Review");
  EXPECT_EQ(plan.concurrency, 1u);
  EXPECT_EQ(job.id, "t001");
  EXPECT_EQ(std::get<std::string>(job.prompt[0]), "Say \"hi\"");
  EXPECT_EQ(job.timeout_ms, 20'000u);
  EXPECT_EQ(job.retry.max_attempts, 1u);
  EXPECT_EQ(job.model, "stub/large") << "of the session that called";
  EXPECT_EQ(job.thinking, plan::Thinking::high);
  EXPECT_EQ(job.required_paths.size(), 1u);
}

TEST(AgentTools, AJobsOwnModelIsStronger) {
  const plan::Plan plan =
      plan_of("job", R"({"name":"n","prompt":"p","model":"other/x"})", {"stub/large", ""});
  EXPECT_EQ(plan.jobs[0].model, "other/x");
}

TEST(AgentTools, JobsAndJobsPlanBecomePlans) {
  const plan::Plan jobs =
      plan_of("jobs", R"({"jobs":[{"name":"a","prompt":"p"},{"id":"x","name":"b","prompt":"q"}],
                  "concurrency":2,"parentBatchId":"r","rerunOfJobIds":["t001"]})");
  ASSERT_EQ(jobs.jobs.size(), 2u);
  EXPECT_EQ(jobs.jobs[0].id, "t001");
  EXPECT_EQ(jobs.jobs[1].id, "x");
  EXPECT_EQ(jobs.concurrency, 2u);
  EXPECT_EQ(jobs.parent_run, "r");
  const plan::Plan rows = plan_of(
      "jobs_plan", R"({"batchName":"Books","matrix":[{"id":"c1","vars":{"t":"One"}},{"id":"c2",
                       "vars":{"t":"Two"}}],"promptTemplate":"Read {{t}} of {{id}}"})");
  ASSERT_EQ(rows.jobs.size(), 2u);
  EXPECT_EQ(std::get<std::string>(rows.jobs[1].prompt[0]), "Read Two of c2");
  EXPECT_EQ(rows.name, "Books");
}

TEST(AgentTools, MistakesAreRefusedWithWhatToDo) {
  EXPECT_THAT(refusal("job", R"({"name":"n"})"), HasSubstr("\"prompt\" of job"));
  EXPECT_THAT(refusal("job", R"({"name":"n","prompt":"p","timeout":1})"), HasSubstr("timeoutMs"));
  EXPECT_THAT(refusal("job", "[]"), HasSubstr("must be an object"));
  EXPECT_THAT(refusal("jobs", "{}"), HasSubstr("at least one job"));
  EXPECT_THAT(refusal("jobs", R"({"jobs":[{"name":" ","prompt":"p"}]})"),
              HasSubstr("jobs[0].name"));
  EXPECT_THAT(refusal("jobs", one_job("n", "p", R"(,"concurrency":1.5)")),
              HasSubstr("whole number"));
  EXPECT_THAT(refusal("jobs", one_job("c", "launch 5 agents to review code")),
              HasSubstr("5 super"));
  EXPECT_THAT(refusal("jobs", one_job("c", "spawn parallel workers")), HasSubstr("several super"));
  EXPECT_THAT(refusal("jobs", one_job("c", "p", R"(,"concurrency":3)")), HasSubstr("3 super"));
  EXPECT_EQ(refusal("jobs", one_job("fix", "start 2 servers")), "accepted");
  EXPECT_THAT(refusal("jobs", one_job("n", std::string(8'000, 'x'))), HasSubstr("jobs_plan"));
  EXPECT_EQ(refusal("jobs", one_job("n", std::string(7'999, 'x'))), "accepted");
  EXPECT_THAT(refusal("jobs_plan", R"({"matrix":[],"promptTemplate":"p"})"), HasSubstr("one row"));
  EXPECT_THAT(
      refusal("jobs_plan", fmt::format(R"({{"matrix":[{{"id":"a"}}],"promptTemplate":"{}"}})",
                                       std::string(32'001, 'x'))),
      HasSubstr("32001 bytes"));
}

// The recorded cases of pi-jobs: the same yes or no.
void expect_same_decision(plan::JsonView one, const std::string& call) {
  const bool wanted = one.find("ok").has_value();
  EXPECT_EQ(plan_text("jobs", call).ok(), wanted) << call;
}

std::string jobs_of(std::int64_t count, std::int64_t prompt_bytes, std::int64_t name_bytes) {
  std::string jobs;
  for (std::int64_t i = 0; i < count; ++i)
    jobs += fmt::format(R"({}{{"name":"{}","prompt":"{}"}})", i > 0 ? "," : "",
                        std::string(static_cast<std::size_t>(name_bytes), 'n'),
                        std::string(static_cast<std::size_t>(prompt_bytes), 'p'));
  return fmt::format(R"({{"jobs":[{}]}})", jobs);
}

TEST(AgentTools, DecideAsPiJobsDid) {
  const char* shared = std::getenv("PIEVT_SHARED");
  plan::DiskFiles files(fmt::format("{}/fixtures/pi-jobs/vectors",
                                    shared != nullptr ? shared : PIEVT_SOURCE_DIR "/../shared"));
  const auto each = [&](const std::string& name, auto see) {
    const auto text = files.read(name, std::size_t{4} << 20);
    if (!text.ok()) return;  // ours are above
    plan::Problems problems;
    const plan::Source source(name, *text);
    const auto tree = plan::JsonTree::parse(source, problems);
    ASSERT_TRUE(tree) << name;
    for (const auto one : tree->root()) see(one);
  };
  each("fanout-guard.json", [](plan::JsonView one) {
    const auto concurrency = *one.find("concurrency");
    expect_same_decision(one,
                         one_job(one.find("name")->string(), one.find("prompt")->string(),
                                 concurrency.kind() == plan::JsonKind::null
                                     ? ""
                                     : fmt::format(R"(,"concurrency":{})", json_of(concurrency))));
  });
  each("inline-limit.json", [](plan::JsonView one) {
    expect_same_decision(one, jobs_of(*one.find("jobs")->whole_number(),
                                      *one.find("promptBytesEach")->whole_number(),
                                      *one.find("nameBytesEach")->whole_number()));
  });
}

TEST(AgentTools, EverySchemaIsOneAndNamesWhatIsRead) {
  plan::Problems problems;
  const plan::Source source("tools", agent_tools_json());
  const auto tree = plan::JsonTree::parse(source, problems);
  ASSERT_TRUE(tree) << problems.error().what;
  const auto tools = *tree->root().find("tools");
  ASSERT_EQ(tools.size(), agent_tools().size());
  for (const auto tool : tools) {
    const std::string name(tool.find("name")->string());
    const auto parameters = *tool.find("parameters");
    EXPECT_EQ(parameters.find("type")->string(), "object") << name;
    // Every property is known to the guard: a call with it is not refused for its name.
    if (tool.find("begins_run")->boolean()) {
      const auto properties = *parameters.find("properties");
      for (const auto property : properties)
        EXPECT_THAT(refusal(name, fmt::format(R"({{"{}":null}})", property.key())),
                    testing::Not(HasSubstr("has no parameter")))
            << name << "." << property.key();
    }
  }
}

TEST(AgentTools, AnUnknownOneIsNamedWithTheNearest) {
  EXPECT_THAT(find_agent_tool("job_plan").error().what, HasSubstr("jobs_plan"));
}

TEST(AgentTools, OptionsOfACall) {
  const auto options = [](const std::string& text) {
    plan::Problems problems;
    const plan::Source source("x", text);
    return call_options(plan::JsonTree::parse(source, problems)->root());
  };
  EXPECT_TRUE(options(R"({"detach":true})")->detach);
  EXPECT_FALSE(options("{}")->stop_when_gone.has_value());
  EXPECT_EQ(options(R"({"onCallerGone":"continue"})")->stop_when_gone, false);
  EXPECT_FALSE(options(R"({"onCallerGone":"die"})").ok());
  EXPECT_FALSE(options(R"({"detach":1})").ok());
}

}  // namespace
}  // namespace pievt::tools
