#include "tools/frame/exit.h"

#include <array>

#include <gmock/gmock.h>

namespace pievt::tools {
namespace {

struct Row {
  Errc code;
  Exit exit;
  int number;
};

// The whole mapping, in the order of the codes: an API that scripts depend on.
constexpr std::array mapping = {
    Row{Errc::not_found, Exit::not_found, 6},   Row{Errc::conflict, Exit::no, 1},
    Row{Errc::id_reused, Exit::usage, 2},       Row{Errc::invalid, Exit::usage, 2},
    Row{Errc::invalid_transition, Exit::no, 1}, Row{Errc::busy, Exit::store, 3},
    Row{Errc::fenced, Exit::store, 3},          Row{Errc::corrupt, Exit::corrupt, 5},
    Row{Errc::too_new, Exit::store, 3},         Row{Errc::unsupported, Exit::store, 3},
    Row{Errc::no_space, Exit::store, 3},        Row{Errc::io, Exit::store, 3},
};

TEST(Exit, EveryErrorHasItsCode) {
  int value = 0;
  for (const Row& row : mapping) {
    EXPECT_EQ(static_cast<int>(row.code), ++value) << "the table must have every code, in order";
    EXPECT_EQ(exit_for(row.code), row.exit) << name_of(row.code);
    EXPECT_EQ(static_cast<int>(row.exit), row.number) << name_of(row.code);
  }
  EXPECT_EQ(name_of(static_cast<Errc>(value + 1)), "unknown")
      << "a new Errc is missing in this table";
}

TEST(Exit, NumbersNeverChange) {
  std::vector<int> numbers;
  for (const ExitRow& row : exit_rows()) numbers.push_back(static_cast<int>(row.code));
  EXPECT_THAT(numbers, testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 70, 130));
}

}  // namespace
}  // namespace pievt::tools
