// The log against its model: the same random commands to both, and both must say the same, about
// every append and about everything that can be read afterwards.
#include "tests/store/log/model_log.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store/log/temp_store.h"
#include "tests/store/seed.h"

namespace pievt {
namespace {

using test::ModelEvent;
using test::ModelRequest;

constexpr const char* stream_names[] = {"a", "b", "run/with space", "größe", "e"};

ModelEvent seen(const Log& log, const EventView& event) {
  const bool ours = event.type() == schema::Payload::RunPaused;
  const auto stream = log.stream_name(event.stamp->stream());
  return {stream.ok() ? *stream : stream.error().what, event.revision().value,
          ours ? text_of(event) : std::string(type_name(event.type()))};
}

class Walk {
 public:
  Walk(const std::filesystem::path& store, std::uint64_t seed) : store_(store), dice_(seed) {
    open(OpenMode::create);
    model_.create();
    reader_.emplace(Log::open(store_, {.mode = OpenMode::read}).value());
    followed_ = roll(model_.published + 1);
    follower_.emplace(reader_->follow({followed_}).value());
  }

  void step() {
    switch (roll(16)) {
      case 0:
        return reopen();
      case 1:
        return refresh();
      case 2:
        return follow();
      case 3:
        return repeat();
      case 4:
        return reuse_id();
      case 5:
        return compare(*log_, model_.head());
      case 6:
        return append(large_request());
      default:
        return append(request());
    }
  }

  void compare_everything() {
    compare_range(*log_, 1, model_.head());
    refresh();
    compare_range(*reader_, 1, model_.published);
    for (const char* stream : stream_names) compare_stream(*log_, stream, model_.head());
    for (const char* stream : stream_names) compare_stream(*reader_, stream, model_.published);
    compare_stream(*log_, "store", model_.head());
    EXPECT_EQ(log_->streams().value(), model_.declared);
  }

 private:
  std::uint64_t roll(std::uint64_t below) { return dice_() % below; }

  void open(OpenMode mode) {
    auto opened = Log::open(store_, {.mode = mode});
    ASSERT_TRUE(opened.ok()) << opened.error().what;
    log_.emplace(std::move(*opened));
  }

  Expected random_expectation(const std::string& stream) {
    switch (roll(6)) {
      case 0:
        return Expected::exists();
      case 1:
        return Expected::no_stream();
      case 2:
        return Expected::exactly({model_.revision(stream)});
      case 3:
        return Expected::exactly({roll(model_.revision(stream) + 2)});
      default:
        return Expected::any();
    }
  }

  ModelRequest request() {
    ModelRequest request;
    request.id = new_append_id();
    std::vector<std::string> names(std::begin(stream_names), std::end(stream_names));
    std::ranges::shuffle(names, dice_);
    names.resize(1 + roll(3));
    for (const std::string& name : names) {
      request.parts.push_back({name, random_expectation(name).code(), {}});
      for (std::uint64_t i = roll(4); i > 0; --i) request.parts.back().texts.push_back(text());
    }
    return request;
  }

  // More than a page holds, over two streams.
  ModelRequest large_request() {
    ModelRequest request;
    request.id = new_append_id();
    for (const char* name : {stream_names[roll(2)], stream_names[2 + roll(2)]}) {
      request.parts.push_back({name, Expected::any().code(), {}});
      for (std::uint64_t i = 1 + roll(30); i > 0; --i) {
        request.parts.back().texts.push_back(text() + std::string(roll(9000), 'x'));
      }
    }
    return request;
  }

  std::string text() { return "event " + std::to_string(++texts_); }

  void append(const ModelRequest& request) {
    std::vector<StreamEvents> streams;
    for (const auto& part : request.parts) {
      streams.push_back({part.stream, Expected::from_code(part.expected), {}});
      for (const std::string& text : part.texts) streams.back().events.push_back(text_event(text));
    }
    const auto durability = static_cast<Durability>(1 + roll(3));
    const auto real = log_->append(streams, {.id = request.id, .durability = durability});
    const auto model = model_.append(request, durability);
    ASSERT_EQ(real.ok(), model.ok()) << (real.ok() ? "it was admitted" : real.error().what);
    if (!model.ok()) {
      ASSERT_EQ(name_of(real.error().code), name_of(model.error().code)) << real.error().what;
    } else {
      expect_same(*real, *model);
      requests_.push_back(request);
    }
    ASSERT_EQ(log_->head().value, model_.head());
  }

  static void expect_same(const Appended& real, const Appended& model) {
    EXPECT_EQ(real.outcome, model.outcome);
    EXPECT_EQ(real.id, model.id);
    EXPECT_EQ(real.first, model.first);
    EXPECT_EQ(real.last, model.last);
    ASSERT_EQ(real.streams.size(), model.streams.size());
    for (std::size_t i = 0; i < real.streams.size(); ++i) {
      EXPECT_EQ(real.streams[i].first, model.streams[i].first);
      EXPECT_EQ(real.streams[i].last, model.streams[i].last);
    }
  }

  void repeat() {
    if (!requests_.empty()) append(ModelRequest(requests_[roll(requests_.size())]));
  }

  void reuse_id() {
    if (requests_.empty()) return;
    ModelRequest other = request();
    other.id = requests_[roll(requests_.size())].id;
    append(other);
  }

  void reopen() {
    ASSERT_TRUE(log_->close().ok());
    model_.close();
    open(OpenMode::write);
    model_.open();
    ASSERT_EQ(log_->head().value, model_.head());
  }

  void refresh() {
    ASSERT_TRUE(reader_->refresh().ok());
    ASSERT_EQ(reader_->head().value, model_.published);
    compare(*reader_, model_.published);
  }

  void follow() {
    auto news = follower_->wait(std::chrono::milliseconds(0));
    ASSERT_TRUE(news.ok()) << news.error().what;
    while (news->next()) {
      ASSERT_EQ(news->event().sequence.value, ++followed_);
      ASSERT_EQ(seen(*reader_, news->event()), model_.events[followed_ - 1]);
    }
    ASSERT_TRUE(news->status().ok());
    ASSERT_EQ(followed_, model_.published);
  }

  void compare(const Log& log, std::uint64_t head) {
    const std::uint64_t from = 1 + roll(head);
    compare_range(log, from, from + roll(head - from + 1));
    compare_stream(log, stream_names[roll(std::size(stream_names))], head);
  }

  void compare_range(const Log& log, std::uint64_t from, std::uint64_t to) {
    std::uint64_t at = from;
    auto forward = log.read({from}, {to});
    for (; forward.next(); ++at) {
      ASSERT_EQ(forward.event().sequence.value, at);
      ASSERT_EQ(seen(log, forward.event()), model_.events[at - 1]) << "@" << at;
    }
    ASSERT_TRUE(forward.status().ok()) << forward.status().error().what;
    ASSERT_EQ(at, to + 1);
    auto backward = log.read({to}, {from}, Direction::backward);
    for (; backward.next(); --at) {
      ASSERT_EQ(backward.event().sequence.value, at - 1);
      ASSERT_EQ(seen(log, backward.event()), model_.events[at - 2]) << "@" << at - 1;
    }
    ASSERT_TRUE(backward.status().ok()) << backward.status().error().what;
    ASSERT_EQ(at, from);
  }

  void compare_stream(const Log& log, const std::string& stream, std::uint64_t head) {
    std::vector<ModelEvent> events;
    for (std::uint64_t i = 0; i < head; ++i) {
      if (model_.events[i].stream == stream) events.push_back(model_.events[i]);
    }
    const std::uint64_t last = events.size();
    const std::uint64_t from = last == 0 ? 1 : 1 + roll(last);
    const std::uint64_t to = last == 0 ? 1 : from + roll(last - from + 1);
    std::vector<ModelEvent> wanted;
    if (last != 0) {
      wanted.assign(events.begin() + static_cast<std::ptrdiff_t>(from - 1),
                    events.begin() + static_cast<std::ptrdiff_t>(to));
    }
    ASSERT_EQ(all_of(log, log.read_stream(stream, {from}, {to})), wanted) << from << " to " << to;
    std::ranges::reverse(wanted);
    ASSERT_EQ(all_of(log, log.read_stream(stream, {to}, {from}, Direction::backward)), wanted);
    ASSERT_EQ(all_of(log, log.read_stream(stream, {})), events);
    if (&log == &*log_) {
      ASSERT_EQ(log.stream_head(stream).value().value, last);
    }
  }

  static std::vector<ModelEvent> all_of(const Log& log, EventReader reader) {
    std::vector<ModelEvent> all;
    while (reader.next()) all.push_back(seen(log, reader.event()));
    EXPECT_TRUE(reader.status().ok()) << reader.status().error().what;
    return all;
  }

  std::filesystem::path store_;
  std::mt19937_64 dice_;
  test::ModelLog model_;
  std::optional<Log> log_;
  std::optional<Log> reader_;
  std::optional<Follower> follower_;
  std::uint64_t followed_ = 0;
  std::uint64_t texts_ = 0;
  std::vector<ModelRequest> requests_;
};

TEST(ModelLog, TheLogSaysWhatAVectorWouldSay) {
  for (const std::uint64_t seed : test::seeds(3)) {
    SCOPED_TRACE(test::how_to_repeat(seed));
    const TempDirectory directory;
    Walk walk(directory.path() / "store", seed);
    for (int step = 0; step < 200; ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      walk.step();
      if (testing::Test::HasFatalFailure()) return;
    }
    walk.compare_everything();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace pievt
