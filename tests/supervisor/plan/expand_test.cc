// What a plan that is right becomes.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/supervisor/plan/support.h"

namespace pievt::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

std::vector<std::string> ids_of(const Plan& plan) {
  std::vector<std::string> ids;
  for (const JobSpec& job : plan.jobs) ids.push_back(job.id);
  return ids;
}

TEST(Expand, EveryKeyOfAJobArrives) {
  const Plan plan = accepted(quotes(R"(
    // A plan may have comments
    {
      'name': 'nightly', 'concurrency': 3,
      'jobs': [{
        'id': 'intro', 'name': ' The introduction ', 'prompt': 'Write {{what}}', /* here too */
        'vars': {'what': 'it'}, 'cwd': 'book', 'model': 'anthropic/x', 'thinking': 'high',
        'tools': ['read', 'bash'], 'timeout': '1h30m', 'priority': -2,
        'env': {'TOPIC': 'on {{what}}', 'TOKEN': {'fromEnv': 'MY_TOKEN'}},
        'retry': {'maxAttempts': 5, 'retryOn': ['worker_stalled', 'timeout', 'launch'],
                  'backoffMs': {'initial': 10, 'max': 20, 'multiplier': 1.5, 'jitter': false}},
        'acceptance': {'requiredPaths': ['{{what}}.md',
                                         {'path': 'out', 'type': 'dir', 'minBytes': 7}]},
        'metadata': {'about': '{{what}}'},
      },],
    })"));
  EXPECT_EQ(plan.name, "nightly");
  EXPECT_EQ(plan.kind, PlanKind::batch);
  EXPECT_EQ(plan.concurrency, 3u);
  ASSERT_EQ(plan.jobs.size(), 1u);
  const JobSpec& job = plan.jobs[0];
  EXPECT_EQ(job.id, "intro");
  EXPECT_EQ(job.name, "The introduction");
  EXPECT_EQ(prompt_of(job), "Write it");
  EXPECT_EQ(job.cwd, "book");
  EXPECT_EQ(job.model, "anthropic/x");
  EXPECT_EQ(job.thinking, Thinking::high);
  EXPECT_THAT(*job.tools, ElementsAre("read", "bash"));
  EXPECT_EQ(job.timeout_ms, 5'400'000u);
  EXPECT_EQ(job.priority, -2);
  EXPECT_EQ(std::get<std::string>(job.env.at("TOPIC")), "on it");
  EXPECT_EQ(std::get<FromEnv>(job.env.at("TOKEN")).name, "MY_TOKEN");
  EXPECT_EQ(job.retry.max_attempts, 5u);
  EXPECT_THAT(job.retry.retry_on, ElementsAre(RetryOn::timeout, RetryOn::launch));
  EXPECT_EQ(job.retry.initial_ms, 10u);
  EXPECT_EQ(job.retry.max_ms, 20u);
  EXPECT_EQ(job.retry.multiplier, 1.5);
  EXPECT_FALSE(job.retry.jitter);
  ASSERT_EQ(job.required_paths.size(), 2u);
  EXPECT_EQ(job.required_paths[0].path, "it.md");
  EXPECT_EQ(job.required_paths[0].type, PathType::file);
  EXPECT_EQ(job.required_paths[1].path, "out");
  EXPECT_EQ(job.required_paths[1].type, PathType::directory);
  EXPECT_EQ(job.required_paths[1].min_bytes, 7u);
  EXPECT_THAT(job.metadata, UnorderedElementsAre(Pair("about", "it")));
}

TEST(Expand, WhatIsLeftOutHasTheDocumentedValue) {
  const Plan plan = accepted(quotes("{'jobs': [{'prompt': 'p'}, {'prompt': 'q'}]}"));
  EXPECT_EQ(plan.name, "plan") << "the file's name without its ending";
  EXPECT_FALSE(plan.concurrency);
  EXPECT_THAT(ids_of(plan), ElementsAre("t001", "t002"));
  const JobSpec& job = plan.jobs[1];
  EXPECT_EQ(job.name, "t002");
  EXPECT_EQ(job.timeout_ms, 600'000u);
  EXPECT_EQ(job.retry.max_attempts, 2u);
  EXPECT_EQ(job.retry.initial_ms, 1'500u);
  EXPECT_EQ(job.retry.max_ms, 15'000u);
  EXPECT_EQ(job.retry.multiplier, 2);
  EXPECT_TRUE(job.retry.jitter);
  EXPECT_THAT(job.retry.retry_on, IsEmpty());
  EXPECT_FALSE(job.tools || job.cwd || job.model || job.thinking);
  EXPECT_THAT(job.metadata, IsEmpty());
}

TEST(Expand, DefaultsAreForAllAndGiveWay) {
  const Plan plan = accepted(quotes(R"({
    'promptTemplate': '{{tone}} row',
    'matrix': [{'id': 'r'}],
    'jobs': [{'id': 'own', 'prompt': 'own', 'timeout': '1s', 'tools': [], 'context': [],
              'vars': {'tone': 'loud'}, 'env': {'B': '{{tone}}'}, 'metadata': {'y': '2'},
              'retry': {'backoffMs': {'max': 9}}, 'acceptance': {'requiredPaths': ['b']}},
             {'id': 'none'}],
    'defaults': {'prompt': 'default of {{id}}', 'timeout': '2s', 'tools': ['read'],
                 'vars': {'tone': 'calm'}, 'env': {'A': '{{tone}}', 'B': 'x'}, 'model': 'm',
                 'metadata': {'x': '1', 'y': '1'}, 'priority': 4, 'cwd': 'd', 'thinking': 'low',
                 'retry': {'maxAttempts': 7, 'backoffMs': {'max': 8, 'initial': 5}},
                 'acceptance': {'requiredPaths': ['a']}, 'context': ['c.md']}
  })"),
                             {{"c.md", "text"}});
  const JobSpec& row = job_of(plan, "r");
  EXPECT_EQ(prompt_of(row), "calm row") << "promptTemplate is nearer to a row than defaults";
  EXPECT_EQ(row.timeout_ms, 2'000u);
  EXPECT_EQ(row.model, "m");
  EXPECT_EQ(row.cwd, "d");
  EXPECT_EQ(row.priority, 4);
  EXPECT_EQ(row.thinking, Thinking::low);
  ASSERT_EQ(row.context.size(), 1u);
  EXPECT_EQ(*row.context[0].text, "text");
  EXPECT_EQ(prompt_of(job_of(plan, "none")), "default of none");

  const JobSpec& own = job_of(plan, "own");
  EXPECT_EQ(prompt_of(own), "own");
  EXPECT_EQ(own.timeout_ms, 1'000u);
  EXPECT_THAT(*own.tools, IsEmpty());
  EXPECT_THAT(own.context, IsEmpty());
  EXPECT_EQ(std::get<std::string>(own.env.at("A")), "loud") << "expanded for the job";
  EXPECT_EQ(std::get<std::string>(own.env.at("B")), "loud");
  EXPECT_THAT(own.metadata, UnorderedElementsAre(Pair("x", "1"), Pair("y", "2")));
  EXPECT_EQ(own.retry.max_attempts, 7u);
  EXPECT_EQ(own.retry.initial_ms, 5u);
  EXPECT_EQ(own.retry.max_ms, 9u);
  ASSERT_EQ(own.required_paths.size(), 2u);
  EXPECT_EQ(own.required_paths[0].path, "a");
  EXPECT_EQ(own.required_paths[1].path, "b");
}

TEST(Expand, DependenciesComeFromNamesPatternsListsAndPrompts) {
  const Plan plan = accepted(quotes(R"({
    'matrix': [{'id': 'draft-1'}, {'id': 'draft-2'}],
    'promptTemplate': 'p',
    'jobs': [{'id': 'join', 'dependsOn': ['draft-*'], 'prompt': '1: {{ jobs.draft-1.final }}!'},
             {'id': 'after', 'prompt': 'p',
              'dependsOn': [{'job': '*', 'when': 'finished'}, 'join']},
             {'id': 'list', 'dependsOn': ['{{all}}'], 'prompt': '{{jobs.draft-{{n}}.final}}',
              'vars': {'all': ['draft-1', 'join'], 'n': '2'}},
             {'id': 'lax', 'dependsOn': [{'job': 'join', 'when': 'finished'}],
              'prompt': '{{jobs.join.final}}{{jobs.join.final}}'}]})"));
  EXPECT_THAT(ids_of(plan), ElementsAre("draft-1", "draft-2", "join", "after", "list", "lax"));
  EXPECT_EQ(depends_of(job_of(plan, "join")), "draft-1 draft-2");
  EXPECT_EQ(prompt_of(job_of(plan, "join")), "1: <final of draft-1>!");
  EXPECT_EQ(std::get<FinalOf>(job_of(plan, "join").prompt[1]).index, 0u);
  EXPECT_EQ(depends_of(job_of(plan, "after")), "draft-1? draft-2? join list? lax?");
  EXPECT_EQ(depends_of(job_of(plan, "list")), "draft-1 draft-2 join");
  EXPECT_EQ(prompt_of(job_of(plan, "list")), "<final of draft-2>");
  EXPECT_EQ(depends_of(job_of(plan, "lax")), "join?") << "what is said by name stays";
}

TEST(Expand, AStricterDependencyHolds) {
  const Plan plan = accepted(quotes(R"({'jobs': [
    {'id': 'a', 'prompt': 'p'}, {'id': 'b', 'prompt': 'p'},
    {'id': 'c', 'prompt': 'p', 'dependsOn': [{'job': '?', 'when': 'finished'}, 'b']}]})"));
  EXPECT_EQ(depends_of(job_of(plan, "c")), "a? b");
}

TEST(Expand, BracesThatAreNoPlaceholdersStay) {
  const Plan plan = accepted(quotes(R"({'jobs': [{'id': 'a', 'vars': {'v': '{{id}}$&'}, 'prompt':
    '{{#if x}} {{x.y}} {{}} {{ }} {a} {{{id}}} {{v}} {{dash-key}} {{'}]})"));
  EXPECT_EQ(prompt_of(plan.jobs[0]),
            "{{#if x}} {{x.y}} {{}} {{ }} {a} {a} {{id}}$& {{dash-key}} {{");
}

TEST(Expand, ListsSplatOrJoin) {
  const Plan plan = accepted(quotes(R"({'jobs': [{'id': 'a',
    'vars': {'l': ['1', '2'], 'none': [], 's': 'x'},
    'prompt': '[{{l}}] [{{none}}]',
    'acceptance': {'requiredPaths': [' {{l}} ', 'p/{{l}}', '{{none}}', ' {{s}}', {'path': '{{l}}'}]}
    }]})"));
  EXPECT_EQ(prompt_of(plan.jobs[0]), "[1\n2] []");
  std::vector<std::string> paths;
  for (const RequiredPath& path : plan.jobs[0].required_paths) paths.push_back(path.path);
  EXPECT_THAT(paths, ElementsAre("1", "2", "p/1\n2", " x", "1\n2"));
}

TEST(Expand, PromptFilesAreTemplatesAndTheirMistakesAreTheirOwn) {
  const MemoryFiles files{{"prompts/a.md",
                           "\xEF\xBB\xBF"
                           "About {{id}}: {{jobs.b.final}}"},
                          {"b.md", "line\nü {{typo}}"}};
  const std::string plan = quotes(R"({'jobs': [{'id': 'a', 'promptFile': 'prompts/{{id}}.md'},
                                               {'id': 'b', 'prompt': 'p'}]})");
  EXPECT_EQ(prompt_of(accepted(plan, files).jobs[0]), "About a: <final of b>");
  EXPECT_EQ(depends_of(accepted(plan, files).jobs[0]), "b");
  EXPECT_EQ(refused(quotes("{'jobs': [{'id': 'x', 'promptFile': 'b.md'}]}"), files),
            quotes("b.md:2:3: unknown placeholder {{typo}} in the prompt of job 'x'; known are "
                   "{{id}}"));
}

TEST(Expand, ContextIsReadOnceAndShared) {
  const Plan plan =
      accepted(quotes(R"({'matrix': [{'id': 'a'}, {'id': 'b', 'vars': {'more': ['x.md', 'y.md']}}],
                 'promptTemplate': 'p',
                 'defaults': {'context': ['all.md', '{{more}}'], 'vars': {'more': []}}})"),
               {{"all.md", "ALL"}, {"x.md", "X"}, {"y.md", "{{id}}"}});
  ASSERT_EQ(plan.jobs[0].context.size(), 1u);
  ASSERT_EQ(plan.jobs[1].context.size(), 3u);
  EXPECT_EQ(plan.jobs[1].context[2].path, "y.md");
  EXPECT_EQ(*plan.jobs[1].context[2].text, "{{id}}") << "context is no template";
  EXPECT_EQ(plan.jobs[0].context[0].text, plan.jobs[1].context[0].text);
}

TEST(Expand, TheWholePlanKeysOfJobsPlanAreDefaults) {
  const Plan plan = accepted(quotes(R"({
    'timeoutMs': 1234.9, 'retry': {'maxAttempts': 1},
    'acceptanceDefaults': {'requiredPaths': ['d']},
    'throttle': {'enabled': true, 'minConcurrency': 1, 'maxConcurrency': 2, 'windowSize': 3,
                 'transientFailureThreshold': 0.5},
    'synthesis': {'mode': 'report-only', 'instructions': 'sum up'},
    'parentBatchId': 'r1', 'rerunOfJobIds': ['a', 'b'],
    'jobs': [{'prompt': 'p', 'acceptance': {'requiredPaths': ['j']}}]})"));
  EXPECT_EQ(plan.jobs[0].timeout_ms, 1234u);
  EXPECT_EQ(plan.jobs[0].retry.max_attempts, 1u);
  ASSERT_EQ(plan.jobs[0].required_paths.size(), 2u);
  EXPECT_EQ(plan.jobs[0].required_paths[0].path, "d");
  ASSERT_TRUE(plan.throttle);
  EXPECT_TRUE(plan.throttle->enabled);
  EXPECT_EQ(plan.throttle->max_concurrency, 2u);
  EXPECT_EQ(plan.throttle->transient_failure_threshold, 0.5);
  ASSERT_TRUE(plan.synthesis);
  EXPECT_EQ(plan.synthesis->mode, SynthesisMode::report_only);
  EXPECT_EQ(plan.synthesis->instructions, "sum up");
  EXPECT_EQ(plan.parent_run, "r1");
  EXPECT_THAT(plan.rerun_of_jobs, ElementsAre("a", "b"));
}

TEST(Expand, ProblemsAreCollectedInOrderOfPlace) {
  EXPECT_EQ(
      refused(quotes("{'jobs': [\n {'id': 'a b', 'prompt': '{{x}}'},\n {'id': 'c', 'promt': 'p'},"
                     "\n {'id': 'd', 'prompt': 'p', 'dependsOn': ['e']}],\n 'nme': 'n'}")),
      quotes("plan.json:2:9: 'a b' cannot be an id: an id is a letter or digit, then up to 99 "
             "letters, digits, '.', '_' or '-'\n"
             "plan.json:2:27: unknown placeholder {{x}} in the prompt of job 'a b'; known are "
             "{{id}}\n"
             "plan.json:3:14: unknown key 'promt' in job 'c'; did you mean 'prompt'?\n"
             "plan.json:5:2: unknown key 'nme' in the plan; did you mean 'name'?"));
}

TEST(Expand, TheSameMistakeInATemplateIsSaidOnce) {
  std::string rows;
  for (int i = 0; i < 50; ++i) rows += "{'id': 'r" + std::to_string(i) + "'},";
  const std::string what = refused(quotes("{'promptTemplate': '{{x}}', 'matrix': [" + rows + "]}"));
  EXPECT_EQ(std::ranges::count(what, '\n'), 0) << what;
}

TEST(Expand, TwentyProblemsArePrintedAndTheOthersCounted) {
  std::string jobs;
  for (int i = 0; i < 50; ++i) jobs += "{'prompt': 'p', 'x" + std::to_string(i) + "': 1},\n";
  const std::string what = refused(quotes("{'jobs': [\n" + jobs + "]}"));
  EXPECT_EQ(std::ranges::count(what, '\n'), 20) << what;
  EXPECT_THAT(what, testing::EndsWith("\nand 30 more problems"));
}

}  // namespace
}  // namespace pievt::plan
