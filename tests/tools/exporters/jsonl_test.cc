// A jsonl export of more than one window: whatever number of threads makes it, it is one run told
// in its order, and what is wrong with the run is said as if one thread had gone through it.
#include "tools/exporters/jsonl.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store/log/harmed_texts.h"
#include "tests/tools/exporters/sample_run.h"
#include "tools/exporters/jsonl_encoding.h"

namespace pievt::tools {
namespace {

using testing::HasSubstr;

constexpr std::string_view long_run_id = "r-long";
constexpr std::size_t events_of_long_run = 40'000;
constexpr std::size_t long_text_every = 9'000;

// A writer that takes so many bytes and then no more, as a pipe whose reader has gone.
class ShortWriter final : public render::Writer {
 public:
  explicit ShortWriter(std::size_t room) : room_(room) {}
  void write(std::string_view text) override {
    if (done()) return;
    text_ += text.substr(0, room_ - text_.size());
  }
  void flush() override {}
  bool done() const override { return text_.size() == room_; }
  const std::string& text() const { return text_; }

 private:
  std::size_t room_;
  std::string text_;
};

class LongJsonl : public HarmedTextsTest {
 protected:
  LongJsonl() {
    open();
    std::vector<NewEvent> batch;
    for (std::size_t i = 0; i < events_of_long_run; ++i) {
      schema::FinalMessageObservedT message;
      const std::string text = text_of_event(i);
      message.text = std::make_unique<schema::BlobRef>(log().put_blob(text).value());
      message.excerpt = std::string(200, static_cast<char>('a' + i % 26));
      batch.push_back({std::move(message), {.job = 1, .attempt = 1}});
      if (batch.size() < 1000) continue;
      const auto done = log().append(run_stream(long_run_id), Expected::any(), std::move(batch));
      EXPECT_TRUE(done.ok());
      batch.clear();
    }
  }

  // Each text is told by two events that lie far apart; some are longer than a record.
  static std::string text_of_event(std::size_t i) {
    const std::size_t which = i % (events_of_long_run / 2);
    std::string text = "text " + std::to_string(which);
    if (which % long_text_every == 5) text.resize(2 * jsonl_part_bytes + 77, 'x');
    return text;
  }

  std::unique_ptr<RunSource> source() { return open_run(log(), long_run_id).value(); }

  // The lines one after the other, by one thread and in one window.
  std::string plain_lines() {
    const auto run = source();
    render::StringWriter out;
    ExportOptions options;
    Manifest manifest;
    const RunState state = run->state().value();
    Export work{*run, out, options, manifest, state};
    EventFacts facts(*run, state);
    JsonlReading reading(*run, facts, std::size_t{1} << 40);
    JsonlEncoding encoding(facts);
    JsonlWindow window;
    EXPECT_TRUE(run->events([&](const EventView& event) -> Status {
                     EXPECT_TRUE(reading.add(event, window));
                     return {};
                   })
                    .ok());
    reading.read_texts(window);
    JsonlLines lines;
    encoding.encode(window, 0, window.items.size(), lines);
    EXPECT_TRUE(lines.write(work, window).ok());
    return out.take();
  }

  Result<Manifest> write_to(render::Writer& out) {
    return export_run(*find_exporter("jsonl"), *source(), out, {});
  }
};

TEST_F(LongJsonl, IsWhatOneThreadWrites) {
  const std::string lines = plain_lines();
  ASSERT_GT(lines.size(), 3 * JsonlReading::window_bytes);
  const Exported done = exported("jsonl", *source());
  const std::size_t begin = done.text.find('\n') + 1;
  const std::size_t end = done.text.rfind('\n', done.text.size() - 2) + 1;
  // Not EXPECT_EQ, which would print some tens of megabytes.
  EXPECT_TRUE(done.text.substr(begin, end - begin) == lines);
  EXPECT_EQ(done.manifest.items_out,
            static_cast<std::uint64_t>(std::ranges::count(done.text, '\n')));
  EXPECT_EQ(done.manifest.blobs_missing, 0u);
}

TEST_F(LongJsonl, MissingTextsAreCountedAndADamagedOneEndsIt) {
  harm(text_of_event(7), Harm::take_out);
  harm(text_of_event(15'000), Harm::take_out);
  EXPECT_EQ(exported("jsonl", *source()).manifest.blobs_missing, 2u);
  harm(text_of_event(12'345), Harm::change);
  render::StringWriter out;
  const auto done = write_to(out);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, Errc::corrupt);
  // Everything before the event that refers to it has been written, and nothing behind it.
  EXPECT_THAT(out.text(), HasSubstr(R"("record":"event","revision":12345,)"));
  EXPECT_EQ(out.text().find(R"("record":"event","revision":12346,)"), std::string::npos);
  EXPECT_TRUE(out.text().ends_with("}\n"));
}

TEST_F(LongJsonl, EndsWithWhoeverReadsIt) {
  render::StringWriter all;
  ASSERT_TRUE(write_to(all).ok());
  const std::string whole = all.take();
  for (const std::size_t room : {std::size_t{1}, std::size_t{300'000}, whole.size() / 2}) {
    ShortWriter out(room);
    const auto done = write_to(out);
    ASSERT_FALSE(done.ok()) << room;
    EXPECT_EQ(done.error().code, Errc::io);
    EXPECT_TRUE(whole.starts_with(out.text())) << room;
  }
}

}  // namespace
}  // namespace pievt::tools
