#include "tools/render/csv.h"

#include <gmock/gmock.h>

namespace pievt::render {
namespace {

TEST(Csv, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(csv_field("plain"), "plain");
  EXPECT_EQ(csv_field(""), "");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"so\""), "\"say \"\"so\"\"\"");
  EXPECT_EQ(csv_field("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(csv_field(" outer"), "\" outer\"");
}

TEST(Csv, ARecordEndsItsLine) {
  const std::vector<std::string> fields = {"a", "", "b,c"};
  EXPECT_EQ(csv_record(fields), "a,,\"b,c\"\n");
}

TEST(Csv, ALoneEmptyFieldIsStillARecord) {
  const std::vector<std::string> fields = {""};
  EXPECT_EQ(csv_record(fields), "\"\"\n");
}

}  // namespace
}  // namespace pievt::render
