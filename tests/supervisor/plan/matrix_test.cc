// Rows from files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "supervisor/plan/read_plan.h"
#include "tests/supervisor/plan/support.h"

namespace pievt::plan {
namespace {

std::string with(std::string_view matrix, std::string_view prompt) {
  return quotes("{'matrix': " + std::string(matrix) + ", 'promptTemplate': '" +
                std::string(prompt) + "'}");
}

std::vector<std::string> ids_and_prompts(const Plan& plan) {
  std::vector<std::string> out;
  for (const JobSpec& job : plan.jobs) out.push_back(job.id + ": " + prompt_of(job));
  return out;
}

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Matrix, AGlobGivesSafeAndUniqueIds) {
  const Plan plan = accepted(with("{'glob': 'ch/**'}", "{{path}} {{name}} {{stem}}"),
                             {{"ch/01 intro.md", ""},
                              {"ch/01-intro.md", ""},
                              {"ch/deep/01_intro.tar.gz", ""},
                              {"ch/x/01-intro.txt", ""},
                              {"ch/Übung", ""},
                              {"other/z.md", ""}});
  EXPECT_THAT(ids_and_prompts(plan),
              ElementsAre("01-intro: ch/01 intro.md 01 intro.md 01 intro",
                          "01-intro-2: ch/01-intro.md 01-intro.md 01-intro",
                          "01_intro.tar: ch/deep/01_intro.tar.gz 01_intro.tar.gz 01_intro.tar",
                          "01-intro-3: ch/x/01-intro.txt 01-intro.txt 01-intro",
                          "bung: ch/Übung Übung Übung"));
  EXPECT_EQ(plan.jobs[1].name, "plan 01-intro-2");
  EXPECT_EQ(plan.jobs[0].metadata.at("jobs_plan.row_id"), "01-intro");
}

TEST(Matrix, CsvColumnsAreVariables) {
  const Plan plan =
      accepted(with("{'csv': 'rows.csv'}", "{{title}}|{{note}}"), {{"rows.csv",
                                                                    "\xEF\xBB\xBF"
                                                                    "id,title,note\r\n"
                                                                    "a,\"Hello, \"\"you\"\"\",\r\n"
                                                                    "\r\n"
                                                                    "b,\"two\r\nlines\", kept \n"
                                                                    "c,{{id}},ü"}});
  EXPECT_THAT(ids_and_prompts(plan),
              ElementsAre("a: Hello, \"you\"|", "b: two\r\nlines| kept ", "c: {{id}}|ü"));
}

TEST(Matrix, CsvMistakesAreShownInTheCsv) {
  const auto what = [](std::string csv) {
    return refused(with("{'csv': 'rows.csv'}", "p"), {{"rows.csv", std::move(csv)}});
  };
  EXPECT_EQ(what(""),
            "rows.csv:1:1: needs a first line with the names of the columns and at least "
            "one row after it");
  EXPECT_EQ(what("id\n"), what(""));
  EXPECT_EQ(what("name,x\na,b\n"), quotes("rows.csv:1:1: the first line needs a column 'id'"));
  EXPECT_EQ(what("id,x,x\na,b,c\n"), quotes("rows.csv:1:6: the column 'x' is there twice"));
  EXPECT_EQ(what("id,\na,b\n"), "rows.csv:1:4: a column of the first line has no name");
  EXPECT_EQ(what("id,x\na\nb,1,2\n"),
            "rows.csv:2:1: the number of fields is 1, and in the first line 2\n"
            "rows.csv:3:1: the number of fields is 3, and in the first line 2");
  EXPECT_EQ(what("id,x\na,b\"c\n"),
            "rows.csv:2:4: a quote inside a field; put the field in quotes and double this one");
  EXPECT_EQ(what("id,x\na,\"b\"c\n"),
            "rows.csv:2:6: a comma or the end of the line was expected after this field");
  EXPECT_EQ(what("id,x\na,\"b\n\n"),
            "rows.csv:2:3: a field in quotes is not closed before the end of the file");
  EXPECT_THAT(what("id\na/b\n"), HasSubstr("rows.csv:2:1: \"a/b\" cannot be an id"));
  EXPECT_EQ(what("id\na\na\n"), quotes("rows.csv:3:1: the id 'a' is used twice, first in line 2"));
  std::string many = "id\n";
  for (int i = 0; i < 10'001; ++i) many += "r" + std::to_string(i) + "\n";
  EXPECT_THAT(what(many), HasSubstr("rows.csv:10002:1: more than 10001 records"));
}

TEST(Matrix, JsonLinesAreRows) {
  const Plan plan =
      accepted(with("{'jsonl': 'rows.jsonl'}", "{{v}}"),
               {{"rows.jsonl",
                 quotes("{'id': 'a', 'vars': {'v': ['1', '2']}}\r\n\n"
                        "{'id': 'b', 'prompt': 'own', 'dependsOn': ['a'], 'timeout': '1s'}")}});
  EXPECT_THAT(ids_and_prompts(plan), ElementsAre("a: 1\n2", "b: own"));
  EXPECT_EQ(depends_of(plan.jobs[1]), "a");
  EXPECT_EQ(plan.jobs[1].timeout_ms, 1'000u);
}

TEST(Matrix, JsonLinesMistakesAreShownInTheirFile) {
  EXPECT_EQ(
      refused(with("{'jsonl': 'r.jsonl'}", "p"),
              {{"r.jsonl", quotes("{'id': 'a'}\n{'id': 'b', 'titel': 1}\n{'id': 'c'\n7\n{}")}}),
      quotes("r.jsonl:2:13: unknown key 'titel' in matrix row 'b'\n"
             "r.jsonl:3:11: ',' or '}' was expected\n"
             "r.jsonl:4:1: a matrix row must be an object, not a number\n"
             "r.jsonl:5:1: matrix row 5 needs 'id'"));
  EXPECT_EQ(refused(with("{'jsonl': 'r.jsonl'}", "p"), {{"r.jsonl", "\n \n"}}),
            "r.jsonl:1:1: needs at least one row");
}

TEST(Matrix, FilesBesideAPlanElsewhereAreNamedAsTheUserWouldFindThem) {
  MemoryFiles files{{"rows.csv", "id\n/\n"}};
  const auto plan = read_plan("plans/night.json", with("{'csv': 'rows.csv'}", "p"), files);
  ASSERT_FALSE(plan.ok());
  EXPECT_THAT(plan.error().what, testing::StartsWith("plans/rows.csv:2:1: "));
}

TEST(Matrix, RowsFromFilesAndJobsShareIds) {
  EXPECT_THAT(refused(quotes("{'matrix': {'csv': 'r.csv'}, 'promptTemplate': 'p',\n"
                             "'jobs': [{'id': 'a', 'prompt': 'p'}]}"),
                      {{"r.csv", "id\na\n"}}),
              HasSubstr("plan.json:2:17: the id \"a\" is used twice"));
}

}  // namespace
}  // namespace pievt::plan
