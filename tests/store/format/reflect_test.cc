// Schemas as data, and in which order a walk tells what.
#include "store/format/reflect.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/format/reflect_walk.h"
#include "tests/store/format/flatbuffer_maker.h"
#include "tests/store/format/zoo.h"

namespace pievt::reflect {
namespace {

using testing::body_from_json;
using testing::compile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::zoo_schema;

// Writes down what it is told, a word for each call.
class Listener final : public Visitor {
 public:
  std::vector<std::string> heard;

  void begin_object(const ObjectType& type) override { say("{{{}", type.short_name()); }
  void end_object() override { say("}}"); }
  void begin_array(std::size_t size) override { say("[{}", size); }
  void end_array() override { say("]"); }
  void field(const Field& field) override { say("{}:", field.name); }
  void value(const Value& value) override {
    constexpr std::array kinds = {"opaque", "bool",   "uint", "int",
                                  "real",   "string", "enum", "bytes"};
    say("{}", kinds.at(value.index()));
  }

 private:
  template <class... T>
  void say(fmt::format_string<T...> format, T&&... values) {
    heard.push_back(fmt::format(format, std::forward<T>(values)...));
  }
};

TEST(Schema, EmbeddedEventsAreComplete) {
  const Schema& events = Schema::embedded_events();
  EXPECT_EQ(events.root().name, "pievt.schema.Envelope");
  EXPECT_EQ(events.file_identifier(), "PIEV");
  ASSERT_NE(events.root_union(), nullptr);
  EXPECT_EQ(events.root_union()->name, "pievt.schema.Payload");

  const ObjectType* planned = events.find_object("RunPlanned");
  ASSERT_NE(planned, nullptr);
  EXPECT_EQ(planned, events.find_object("pievt.schema.RunPlanned"));
  EXPECT_EQ(planned->file, "run");
  EXPECT_THAT(planned->comment, HasSubstr("First event of every run's stream."));
  const Field* id = planned->find("run_id");
  ASSERT_NE(id, nullptr);
  EXPECT_EQ(id->id, 0);
  EXPECT_EQ(id->presence, Field::Presence::required);
  EXPECT_EQ(id->type.base, Base::string);
  EXPECT_EQ(planned->find("no such field"), nullptr);
}

TEST(Schema, EmbeddedRunStateIsAnotherSchema) {
  const Schema& state = Schema::embedded_run_state();
  EXPECT_EQ(state.root().name, "pievt.state.RunState");
  EXPECT_EQ(state.file_identifier(), "PIRS");
  EXPECT_EQ(state.root_union(), nullptr);
  EXPECT_NE(state.find_object("JobState"), nullptr);
  EXPECT_NE(state.find_object("pievt.schema.BlobRef"), nullptr);
}

TEST(Schema, EmbeddedIsWhatTheFilesSay) {
  const std::string folder = PIEVT_SOURCE_DIR "/schemas/";
  const auto same = [](const Schema& a, const Schema& b) {
    ASSERT_EQ(a.objects().size(), b.objects().size());
    ASSERT_EQ(a.enums().size(), b.enums().size());
    for (std::size_t i = 0; i < a.objects().size(); ++i) {
      EXPECT_EQ(a.objects()[i].name, b.objects()[i].name);
      EXPECT_EQ(a.objects()[i].comment, b.objects()[i].comment);
      EXPECT_EQ(a.objects()[i].fields.size(), b.objects()[i].fields.size());
    }
  };
  same(Schema::embedded_events(), testing::load(testing::compile_file(folder + "envelope.fbs")));
  same(Schema::embedded_run_state(),
       testing::load(testing::compile_file(folder + "state/run_state.fbs")));
  same(Schema::embedded_run_list(),
       testing::load(testing::compile_file(folder + "state/run_list.fbs")));
}

TEST(Schema, UnionMembersByTag) {
  const Schema zoo = testing::load(compile(zoo_schema));
  const EnumType& payload = *zoo.root_union();
  EXPECT_EQ(payload.form, EnumType::Form::tagged_union);
  EXPECT_EQ(zoo.member_table(payload, 2), zoo.find_object("Slept"));
  EXPECT_EQ(zoo.member_table(payload, 0), nullptr);
  EXPECT_EQ(zoo.member_table(payload, 3), nullptr);
  EXPECT_EQ(zoo.member_table(payload, -1), nullptr);
}

TEST(Schema, EnumsWithGapsAndNegativeNumbers) {
  const Schema zoo = testing::load(compile(zoo_schema));
  const EnumType* depth = zoo.find_enum("zoo.Depth");
  ASSERT_NE(depth, nullptr);
  EXPECT_EQ(depth->underlying, Base::int16);
  EXPECT_EQ(depth->find(-3000)->name, "abyss");
  EXPECT_EQ(depth->find(1)->name, "shore");
  EXPECT_EQ(depth->find(2), nullptr);
  EXPECT_EQ(zoo.find_enum("Color")->find(1)->comment, "Like the sky.");
}

TEST(Schema, FormsOfTypes) {
  const Schema zoo = testing::load(compile(zoo_schema));
  EXPECT_TRUE(zoo.find_object("Digest")->is_bytes());
  EXPECT_FALSE(zoo.find_object("Spot")->is_bytes());
  EXPECT_FALSE(zoo.find_object("Leg")->is_bytes());
  EXPECT_EQ(zoo.find_object("Spot")->size, 24u);
  EXPECT_EQ(zoo.find_object("Walked")->comment, "It walked. On two lines.");
  const ObjectType& slept = *zoo.find_object("Slept");
  EXPECT_EQ(slept.find("old")->life, Field::Life::deprecated);
  EXPECT_EQ(slept.find("dreams")->presence, Field::Presence::optional);
  EXPECT_EQ(slept.find("depth")->presence, Field::Presence::normal);
}

TEST(Schema, CopiesStandAlone) {
  std::vector<std::byte> bfbs = compile(zoo_schema);
  const Schema copy = [&] {
    Schema original = testing::load(bfbs);
    return original;
  }();
  bfbs.assign(bfbs.size(), std::byte{0xFF});
  EXPECT_EQ(copy.root().name, "zoo.Animal");
  EXPECT_EQ(copy.find_object("Leg")->find("name")->type.base, Base::string);
}

TEST(Walk, TellsFieldsInOrderOfIds) {
  const Schema zoo = testing::load(compile(zoo_schema));
  const auto body = body_from_json(
      zoo_schema, R"({name: "Ann", payload_type: "Walked", payload: {names: ["a"], zeal: 3,
                      legs: [{name: "l"}]}, digest: {bytes: [1, 2, 3, 255]}})");
  Listener listener;
  ASSERT_TRUE(walk(zoo, body, listener).ok());
  EXPECT_THAT(listener.heard,
              ElementsAre("{Animal", "name:", "string", "payload_type:", "enum",
                          "payload:", "{Walked", "zeal:", "uint", "legs:", "[1", "{Leg",
                          "name:", "string", "length:", "real", "}", "]", "names:", "[1", "string",
                          "]", "alone:", "int", "}", "digest:", "bytes", "}"));
}

TEST(Walk, HiddenDefaultsLeaveOnlyWhatWasSaid) {
  const Schema zoo = testing::load(compile(zoo_schema));
  const auto body = body_from_json(
      zoo_schema, R"({name: "Ann", payload_type: "Slept", payload: {awake: true, dreams: 0}})");
  Listener listener;
  ASSERT_TRUE(walk(zoo, body, listener, Defaults::hidden).ok());
  EXPECT_THAT(listener.heard, ElementsAre("{Animal", "name:", "string", "payload_type:", "enum",
                                          "payload:", "{Slept", "dreams:", "uint", "}", "}"));
}

TEST(Walk, UnknownTagIsOpaque) {
  const Schema zoo = testing::load(compile(zoo_schema));
  std::string newer = zoo_schema;
  newer.replace(newer.find("union Payload { Walked = 1, Slept = 2 }"), 39,
                "table Flew { to:string (id: 0); } union Payload { Walked = 1, Slept = 2, Flew = "
                "200 }");
  const auto body =
      body_from_json(newer, R"({name: "Ann", payload_type: "Flew", payload: {to: "Rome"}})");
  Listener listener;
  ASSERT_TRUE(walk(zoo, body, listener).ok());
  EXPECT_THAT(listener.heard, ElementsAre("{Animal", "name:", "string", "payload_type:", "enum",
                                          "payload:", "opaque", "}"));
}

TEST(Walk, SaysNothingOfABrokenBody) {
  const Schema zoo = testing::load(compile(zoo_schema));
  auto body = body_from_json(zoo_schema, R"({name: "Ann", digest: {bytes: [1, 2, 3, 4]}})");
  body.resize(body.size() - 4);
  Listener listener;
  Status status = walk(zoo, body, listener);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Errc::corrupt);
  EXPECT_THAT(status.error().what, HasSubstr("Animal.name"));
  EXPECT_THAT(listener.heard, IsEmpty());
}

TEST(Walk, RequiresWhatTheSchemaRequires) {
  const Schema zoo = testing::load(compile(zoo_schema));
  std::string laxer = zoo_schema;
  laxer.replace(laxer.find(", required"), 10, "");
  Listener listener;
  Status status = walk(zoo, body_from_json(laxer, "{spot: null}"), listener);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().what, HasSubstr("Animal.name"));
}

TEST(Walk, RequiresTheFileIdentifier) {
  const Schema zoo = testing::load(compile(zoo_schema));
  auto body = body_from_json(zoo_schema, R"({name: "Ann"})");
  body[4] = std::byte{'X'};
  Listener listener;
  Status status = walk(zoo, body, listener);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().what, HasSubstr("does not begin as zoo.Animal does"));
}

}  // namespace
}  // namespace pievt::reflect
