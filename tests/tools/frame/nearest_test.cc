#include "tools/frame/nearest.h"

#include <array>

#include <gmock/gmock.h>

namespace pievt::tools {
namespace {

constexpr std::array<std::string_view, 8> verbs = {"apply", "audit", "log",  "replay",
                                                   "rerun", "run",   "show", "verify"};

TEST(EditDistance, CountsEditsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0);
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("show", "shwo"), 1);
  EXPECT_EQ(edit_distance("show", "shwwo"), 2);
  EXPECT_EQ(edit_distance("verify", "verfiy"), 1);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
}

TEST(Nearest, FindsWhatWasMeant) {
  EXPECT_EQ(nearest("shwo", verbs), "show");
  EXPECT_EQ(nearest("lgo", verbs), "log");
  EXPECT_EQ(nearest("audti", verbs), "audit");
  EXPECT_EQ(nearest("rum", verbs), "run");
  EXPECT_EQ(nearest("veri", verbs), "verify");
  EXPECT_EQ(nearest("runn", verbs), "run");
}

TEST(Nearest, OffersNothingFarFetched) {
  for (const char* typed : {"", "x", "zzzz", "frobnicate", "lo lo"})
    EXPECT_EQ(nearest(typed, verbs), std::nullopt) << typed;
  EXPECT_EQ(nearest(std::string(100'000, 'r'), verbs), std::nullopt);
}

TEST(Nearest, MakesASentence) {
  EXPECT_EQ(did_you_mean("shwo", verbs), " (did you mean \"show\"?)");
  EXPECT_EQ(did_you_mean("zzzz", verbs), "");
}

}  // namespace
}  // namespace pievt::tools
