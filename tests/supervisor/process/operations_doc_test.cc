// docs/operations.md shows the child machine as the program's own table prints it.
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "supervisor/process/child_machine.h"

namespace pievt::process {
namespace {

TEST(OperationsDoc, ShowsTheTableThatIsUsed) {
  std::ifstream file(PIEVT_OPERATIONS_DOC);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::string begin = "<!-- child table -->\n";
  const std::string end = "<!-- end -->\n";
  const std::size_t from = text.find(begin);
  ASSERT_NE(from, std::string::npos) << PIEVT_OPERATIONS_DOC;
  const std::size_t to = text.find(end, from);
  ASSERT_NE(to, std::string::npos);
  EXPECT_EQ(text.substr(from + begin.size(), to - from - begin.size()), child_table_as_markdown());
}

}  // namespace
}  // namespace pievt::process
