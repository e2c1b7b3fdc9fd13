#include "tests/store/log/temp_store.h"

#include <cstdlib>

namespace pievt {

TempDirectory::TempDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "pievt-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  path_ = name;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

NewEvent text_event(std::string text) {
  schema::RunPausedT paused;
  paused.reason = std::move(text);
  return {std::move(paused)};
}

std::string text_of(const EventView& event) {
  std::string text;
  visit(event, [&](const schema::RunPaused& paused) { text = paused.reason()->str(); });
  return text;
}

std::vector<std::string> types(EventReader reader) {
  std::vector<std::string> all;
  while (reader.next()) all.emplace_back(type_name(reader.event().type()));
  EXPECT_TRUE(reader.status().ok()) << reader.status().error().what;
  return all;
}

std::vector<std::uint64_t> sequences(EventReader reader) {
  std::vector<std::uint64_t> all;
  while (reader.next()) all.push_back(reader.event().sequence.value);
  EXPECT_TRUE(reader.status().ok()) << reader.status().error().what;
  return all;
}

std::vector<std::string> texts_of(const Log& log, std::string_view stream, Direction direction) {
  std::vector<std::string> all;
  auto reader = log.read_stream(stream, {}, {}, direction);
  while (reader.next()) all.push_back(text_of(reader.event()));
  EXPECT_TRUE(reader.status().ok()) << reader.status().error().what;
  return all;
}

void StoreTest::open(OpenMode mode) {
  Result<Log> opened = Log::open(store(), {.mode = mode, .program = "log_test"});
  ASSERT_TRUE(opened.ok()) << opened.error().what;
  log_.emplace(std::move(*opened));
}

Log StoreTest::open_reader() const {
  Result<Log> opened = Log::open(store(), {.mode = OpenMode::read});
  EXPECT_TRUE(opened.ok()) << opened.error().what;
  return std::move(opened).value();
}

Appended StoreTest::append(std::string_view stream, std::vector<std::string> texts,
                           const AppendOptions& options) {
  std::vector<NewEvent> events;
  for (std::string& text : texts) events.push_back(text_event(std::move(text)));
  Result<Appended> done = log().append(stream, Expected::any(), std::move(events), options);
  EXPECT_TRUE(done.ok()) << done.error().what;
  return done.ok() ? *done : Appended{};
}

}  // namespace pievt
