// The same plan is the same text.
#include "supervisor/plan/canonical.h"

#include <gtest/gtest.h>

#include "supervisor/plan/json_tree.h"
#include "tests/supervisor/plan/support.h"

namespace pievt::plan {
namespace {

TEST(Canonical, IsExactlyThis) {
  Plan plan = accepted(quotes(R"({'name': 'n', 'jobs': [
      {'id': 'a', 'prompt': 'x\n\'y', 'context': ['c'], 'env': {'A': '1', 'B': {'fromEnv': 'C'}}},
      {'id': 'b', 'prompt': 'see {{jobs.a.final}}.', 'thinking': 'off', 'tools': ['read'],
       'acceptance': {'requiredPaths': ['o']}, 'metadata': {'k': 'v'}}]})"),
                       {{"c", "text"}});
  plan.jobs[0].context[0].sha256 = "00ff";
  const std::string tail =
      R"("retry":{"initialMs":1500,"jitter":true,"maxAttempts":2,"maxMs":15000,"multiplier":2,)"
      R"("retryOn":[]},)";
  EXPECT_EQ(
      canonical_json(plan),
      R"({"concurrency":4,"jobs":[{"context":[{"bytes":4,"path":"c","sha256":"00ff"}],"cwd":null,)"
      R"("dependsOn":[],"env":{"A":"1","B":{"fromEnv":"C"}},"id":"a","metadata":{},"model":null,)"
      R"("name":"a","priority":0,"prompt":["x\u000a\"y"],"requiredPaths":[],)" +
          tail +
          R"("thinking":null,"timeoutMs":600000,"tools":null},)"
          R"({"context":[],"cwd":null,"dependsOn":[{"job":"a","when":"success"}],"env":{},)"
          R"("id":"b",)"
          R"("metadata":{"k":"v"},"model":null,"name":"b","priority":0,)"
          R"("prompt":["see ",{"final":"a"},"."],)"
          R"("requiredPaths":[{"minBytes":0,"path":"o","type":"file"}],)" +
          tail +
          R"("thinking":"off","timeoutMs":600000,"tools":["read"]}],"kind":"batch","name":"n",)"
          R"("parentRun":null,"rerunOfJobs":[],"synthesis":null,"throttle":null})");
}

TEST(Canonical, SpellingDoesNotMatterAndMeaningDoes) {
  const std::string a =
      canonical_json(accepted(quotes("{'name':'n','timeout':'1m','concurrency':4,'matrix':[{'id':'"
                                     "a'}],'promptTemplate':'p {{id}}',"
                                     "'throttle':{'enabled':true,'transientFailureThreshold':0.1},'"
                                     "synthesis':{'mode':'parent'}}")));
  const std::string b = canonical_json(
      accepted(quotes("{ // the same\n'synthesis':{},'batchName':'n','promptTemplate':'p {{ id }}',"
                      "'throttle':{'transientFailureThreshold':1e-1,'enabled':true,},"
                      "'matrix':[{'id':'\\u0061'},],'defaults':{'timeoutMs':60000}}")));
  EXPECT_EQ(a, b);
  const std::string c = canonical_json(
      accepted(quotes("{'name':'n','matrix':[{'id':'a'}],'promptTemplate':'p {{id}}'}")));
  EXPECT_NE(a, c);
}

/// Keys of every object are in byte order.
void expect_sorted(JsonView value) {
  if (value.kind() != JsonKind::array && value.kind() != JsonKind::object) return;
  std::string_view before;
  for (const JsonView inner : value) {
    if (value.kind() == JsonKind::object) {
      EXPECT_LT(before, inner.key());
    }
    before = inner.key();
    expect_sorted(inner);
  }
}

TEST(Canonical, IsJsonWithSortedKeys) {
  const Source source(
      "canonical",
      canonical_json(accepted(quotes(
          "{'jobs':[{'prompt':'\\u0001 ü {{jobs.b.final}}','env':{'Z':'','A':{'fromEnv':'X'}}},"
          "{'id':'b','prompt':'p','acceptance':{'requiredPaths':['x']},'dependsOn':[]}],"
          "'throttle':{},'synthesis':{'instructions':'i'},'parentBatchId':'r'}"))));
  Problems problems;
  const auto tree = JsonTree::parse(source, problems);
  ASSERT_TRUE(tree) << problems.error().what;
  expect_sorted(tree->root());
}

}  // namespace
}  // namespace pievt::plan
