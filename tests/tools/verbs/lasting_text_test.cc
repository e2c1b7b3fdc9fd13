// What does not count in a prompt when two runs are compared.
#include "tools/verbs/lasting_text.h"

#include <gtest/gtest.h>

#include "tools/verbs/state_leaves.h"

namespace pievt::tools {
namespace {

TEST(VolatileWords, OneRunsNamesBecomeNamesOfAnyRuns) {
  const auto prompt_of = [](const std::string& id, std::uint32_t attempt) {
    RunState run;
    run.run_id = id;
    run.plan_path = "/srv/ws/.pi/jobs/" + id;
    JobState job;
    job.id = "r2";
    AttemptState state;
    state.number = attempt;
    state.directory = "attempts/r2/attempt-" + std::to_string(attempt) + "/";
    VolatileWords words(run);
    words.add(job, state);
    return words.replaced_in("Attempt id: r2-a" + std::to_string(attempt) +
                             "\nNotes: " + run.plan_path + "/" + state.directory +
                             "worker.md of run " + id + "\n");
  };
  EXPECT_EQ(prompt_of("night-8084d3", 1), prompt_of("night-f704ba", 2));
  EXPECT_EQ(
      prompt_of("night-8084d3", 1),
      "Attempt id: (attempt id)\nNotes: (batch directory)/(attempt directory)/worker.md of run "
      "(run id)\n");
}

TEST(VolatileWords, APartOfALongerWordIsAnotherWord) {
  RunState run;
  run.run_id = "night";
  const VolatileWords words(run);
  EXPECT_EQ(words.replaced_in("nightly night midnight night."),
            "nightly (run id) midnight (run id).");
  EXPECT_EQ(VolatileWords().replaced_in("night"), "night");
}

TEST(LeavesOfJson, TextsAreAsTheyWereMeant) {
  const Leaves leaves = leaves_of_json(R"({"p":"a\u000ab\n\"c\" \ud83d\ude00 \u00e9 \\","n":[1]})");
  ASSERT_EQ(leaves.size(), 2u);
  EXPECT_EQ(leaves[0].text, "a\nb\n\"c\" \xf0\x9f\x98\x80 \xc3\xa9 \\");
  EXPECT_EQ(leaves[1].path, "n[0]");
  for (const char* broken : {"{\"p\":\"\\u12\"}", "{\"p\":\"\\ud83d\\u\"}", "{\"p\":\"\\"})
    (void)leaves_of_json(broken);
}

}  // namespace
}  // namespace pievt::tools
