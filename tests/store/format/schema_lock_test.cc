// The lock: what stored events depend on may only grow. And what is generated from the schemas and
// committed is what the schemas say.
#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/format/schema_facts.h"
#include "store/format/schema_markdown.h"
#include "tests/store/format/flatbuffer_maker.h"
#include "tests/store/format/zoo.h"

namespace pievt::reflect {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::read_file;

TEST(Lock, EveryLockedFactIsStillTrue) {
  const auto locked = parse_lock(read_file(PIEVT_SOURCE_DIR "/schemas/schema.lock"));
  const auto present = lock_lines(Schema::embedded_events());
  const LockDifference difference = compare(locked, present);
  EXPECT_THAT(difference.missing, IsEmpty())
      << "Stored events depend on these lines of schemas/schema.lock, and the schemas no longer "
         "say "
         "so:\n  "
      << fmt::format("{}", fmt::join(difference.missing, "\n  "))
      << "\nTake the change back; schemas/README.md says how events may change.";
  EXPECT_THAT(difference.added, IsEmpty())
      << "schemas/schema.lock lacks:\n  " << fmt::format("{}", fmt::join(difference.added, "\n  "))
      << "\nRun: cmake --build <build directory> --target schema_lock";
}

TEST(Lock, IsWrittenAsTheToolWritesIt) {
  const std::string text = read_file(PIEVT_SOURCE_DIR "/schemas/schema.lock");
  ASSERT_FALSE(text.empty());
  EXPECT_EQ(text, lock_text(parse_lock(text)));
}

TEST(EventDocs, AreWhatTheSchemasSay) {
  // Compared with == and not with EXPECT_EQ, which would print both documents.
  EXPECT_TRUE(read_file(PIEVT_SOURCE_DIR "/docs/events.md") ==
              events_markdown(Schema::embedded_events()))
      << "docs/events.md differs from the schemas. Run: cmake --build <build directory> --target "
         "event_docs";
}

TEST(EventDocs, DescribeEveryField) {
  const std::string text = events_markdown(testing::load(testing::compile(testing::zoo_schema)));
  for (const char* part : {
           "| 2 | [Slept](#slept) |",
           "### Walked\n\nTag 1. It walked. On two lines.\n\n| id | field | type | meaning |",
           "| 1 | `legs` | list of [Leg](#leg) |  |",
           "| 9 | `alone` | long | Default -1. |",
           "| 1 | `length` | double | Default 1.5. |",
           "| 1 | `old` | uint | Deprecated: no longer written. |",
           "| 1 | `name` | string | Required. |",
           "| 3 | `payload` | one of the events |  |",
           "### Leg\n\nA leg.\n",
           "A struct of 4 bytes; in JSON it is a string of hexadecimal digits.",
           "| 20 | `borders` | 2 of [Color](#color) |  |",
           "| 1 | `blue` | Like the sky. |",
           "| -3000 | `abyss` |  |",
       }) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(Rules, AreKeptByTheEvents) {
  EXPECT_THAT(rule_violations(Schema::embedded_events()), IsEmpty());
}

TEST(Rules, BrokenOnesAreNamed) {
  const Schema schema = testing::load(testing::compile(R"(
    enum Mood : ubyte { good = 0, bad = 1 }
    table Sang { how:uint = null (id: 0); mood:Mood (id: 1); }
    /// It flew.
    table Flew { }
    union Payload { Sang = 1, Flew = 3 }
    table Root { payload:Payload (id: 1); }
    root_type Root;)"));
  EXPECT_THAT(rule_violations(schema),
              ElementsAre("Mood: an enum begins with unknown = 0",
                          "Sang: an event needs a /// comment that says what happened",
                          "Payload: tags are not contiguous before Flew",
                          "Sang.how: no optional scalars; use an enum or a table"));
}

TEST(LockFile, IsReadAsItIsWritten) {
  const std::vector<std::string> facts = {"a b", "c"};
  EXPECT_EQ(parse_lock(lock_text(facts)), facts);
  EXPECT_THAT(parse_lock("# heading\n\nz\na"), ElementsAre("a", "z"));
  EXPECT_THAT(parse_lock(""), IsEmpty());
}

TEST(LockLines, SayEverythingOnce) {
  const auto lines = lock_lines(testing::load(testing::compile(testing::zoo_schema)));
  EXPECT_TRUE(std::ranges::is_sorted(lines));
  EXPECT_THAT(lines, ::testing::IsSupersetOf({
                         "enum zoo.Color = 001 blue",
                         "enum zoo.Depth = -3000 abyss",
                         "enum zoo.Depth: short",
                         "file_identifier ZOO1",
                         "root_type zoo.Animal",
                         "struct zoo.Digest at 000 bytes: [ubyte:4]",
                         "struct zoo.Spot at 004 color: zoo.Color",
                         "struct zoo.Spot at 020 borders: [zoo.Color:2]",
                         "struct zoo.Spot: size 24, align 8, members 5",
                         "table zoo.Animal id 001 name: string required",
                         "table zoo.Animal id 002 payload_type: tag of zoo.Payload = 0",
                         "table zoo.Animal id 003 payload: zoo.Payload",
                         "table zoo.Animal: requires name",
                         "table zoo.Leg id 001 length: double = 1.5",
                         "table zoo.Slept id 001 old: deprecated",
                         "table zoo.Slept id 001 old: uint = 0",
                         "table zoo.Slept id 002 dreams: uint = null",
                         "table zoo.Slept: requires nothing",
                         "table zoo.Walked id 001 legs: [zoo.Leg]",
                         "table zoo.Walked id 009 alone: long = -1",
                         "union zoo.Payload = 002 Slept: zoo.Slept",
                     }));
}

// One change to the schema below, and what the lock says about it.
struct Change {
  const char* name;
  const char* from;
  const char* to;
  const char* refused_line;  ///< nullptr: the lock accepts the change
};

constexpr char released[] = R"(
  namespace e;
  enum Kind : ubyte { unknown = 0, one = 1, two = 2 }
  struct Head { job:ulong; attempt:uint; }
  table Opened {
    kind:Kind (id: 0); name:string (id: 1); size:ulong = 7 (id: 2); last:uint (id: 3);
  }
  table Closed { reason:string (id: 0, required); notes:[string] (id: 1); }
  union Payload { Opened = 1, Closed = 2 }
  table Envelope { head:Head (id: 0, required); payload:Payload (id: 2, required); }
  root_type Envelope;
  file_identifier "EVT1";
)";

class LockJudges : public ::testing::TestWithParam<Change> {};

TEST_P(LockJudges, TheChange) {
  const Change& change = GetParam();
  std::string text = released;
  const std::size_t at = text.find(change.from);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, std::string_view(change.from).size(), change.to);
  const auto locked = lock_lines(testing::load(testing::compile(released)));
  const auto present = lock_lines(testing::load(testing::compile(text)));
  const LockDifference difference = compare(locked, present);
  if (change.refused_line == nullptr) {
    EXPECT_THAT(difference.missing, IsEmpty());
    EXPECT_THAT(difference.added, Not(IsEmpty()));
  } else {
    EXPECT_THAT(difference.missing, Contains(HasSubstr(change.refused_line)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Accepts, LockJudges,
    ::testing::Values(
        Change{"AppendedField", "last:uint (id: 3);", "last:uint (id: 3); more:string (id: 4);",
               nullptr},
        Change{"AppendedUnionMember", "union Payload { Opened = 1, Closed = 2 }",
               "table Moved { } union Payload { Opened = 1, Closed = 2, Moved = 3 }", nullptr},
        Change{"AppendedEnumValue", "two = 2", "two = 2, three = 3", nullptr},
        Change{"NewTable", "table Closed", "table Other { x:int (id: 0); } table Closed", nullptr},
        Change{"DeprecatedField", "last:uint (id: 3)", "last:uint (id: 3, deprecated)", nullptr}),
    [](const auto& test) { return std::string(test.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Refuses, LockJudges,
    ::testing::Values(
        Change{"SwappedUnionTags", "Opened = 1, Closed = 2", "Closed = 1, Opened = 2",
               "union e.Payload = 001 Opened"},
        Change{"RenumberedUnionTag", "Closed = 2 }", "Closed = 3 }",
               "union e.Payload = 002 Closed"},
        Change{"RemovedUnionMember", "Opened = 1, Closed = 2", "Opened = 1",
               "union e.Payload = 002 Closed"},
        Change{"UnionMemberOfAnotherTable", "Closed = 2 }", "Closed:Opened = 2 }",
               "union e.Payload = 002 Closed: e.Closed"},
        Change{"ChangedType", "last:uint", "last:ulong", "e.Opened id 003 last: uint"},
        Change{"ChangedElementType", "notes:[string]", "notes:[ulong]",
               "e.Closed id 001 notes: [string]"},
        Change{"ChangedSign", "last:uint", "last:int", "e.Opened id 003 last: uint"},
        Change{"ChangedDefault", "size:ulong = 7", "size:ulong = 8",
               "e.Opened id 002 size: ulong = 7"},
        Change{"ShiftedIds", "name:string (id: 1); size:ulong = 7 (id: 2)",
               "name:string (id: 2); size:ulong = 7 (id: 1)", "e.Opened id 001 name: string"},
        Change{"RenumberedEnumValue", "two = 2", "two = 3", "enum e.Kind = 002 two"},
        Change{"RemovedEnumValue", ", two = 2", "", "enum e.Kind = 002 two"},
        Change{"RenamedEnumValue", "two = 2", "second = 2", "enum e.Kind = 002 two"},
        Change{"WiderEnum", "enum Kind : ubyte", "enum Kind : ushort", "enum e.Kind: ubyte"},
        Change{"RequiredOnOldField", "name:string (id: 1)", "name:string (id: 1, required)",
               "e.Opened: requires nothing"},
        Change{"RequiredOnNewField", "last:uint (id: 3);",
               "last:uint (id: 3); more:string (id: 4, required);", "e.Opened: requires nothing"},
        Change{"NoLongerRequired", "(id: 0, required); notes", "(id: 0); notes",
               "e.Closed: requires reason"},
        Change{"StructMemberAdded", "attempt:uint; }", "attempt:uint; gate:ulong; }",
               "struct e.Head: size 16"},
        Change{"StructMemberAddedInPadding", "attempt:uint; }", "attempt:uint; gate:uint; }",
               "struct e.Head: size 16, align 8, members 2"},
        Change{"StructMembersSwapped", "job:ulong; attempt:uint;", "attempt:uint; job:ulong;",
               "struct e.Head at 000 job: ulong"},
        Change{"RemovedLastField", " last:uint (id: 3);", "", "e.Opened id 003 last: uint"},
        Change{"RenamedField", "last:uint", "latest:uint", "e.Opened id 003 last: uint"},
        Change{"AnotherRoot", "root_type Envelope", "table Root { x:int (id: 0); } root_type Root",
               "root_type e.Envelope"},
        Change{"OptionalScalar", "last:uint (id: 3)", "last:uint = null (id: 3)",
               "e.Opened id 003 last: uint = 0"},
        Change{"ChangedFileIdentifier", "EVT1", "EVT2", "file_identifier EVT1"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(LockLines, TakingADeprecationBackIsRefused) {
  std::string deprecated = released;
  deprecated.replace(deprecated.find("(id: 3)"), 7, "(id: 3, deprecated)");
  const auto locked = lock_lines(testing::load(testing::compile(deprecated)));
  const auto present = lock_lines(testing::load(testing::compile(released)));
  EXPECT_THAT(compare(locked, present).missing,
              ElementsAre("table e.Opened id 003 last: deprecated"));
}

}  // namespace
}  // namespace pievt::reflect
