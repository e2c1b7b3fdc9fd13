// The lines of a jsonl export: header, captured output, then each event behind the actor and the
// texts it refers to, and the manifest. What an event refers to comes first, so that an importer
// stores a text before the event that makes it durable, in one pass and in little memory.
//
// One thread walks the events and writes; beside it a second one reads the texts of the window that
// was filled before, and some make the lines of the window before that, part by part. Parts are
// written in their order.
#include "tools/exporters/jsonl.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include "store/format/zstd_codec.h"
#include "tools/exporters/base64.h"
#include "tools/exporters/beside.h"
#include "tools/exporters/event_facts.h"
#include "tools/exporters/jsonl_encoding.h"
#include "tools/exporters/jsonl_lines.h"
#include "tools/exporters/jsonl_window.h"

namespace pievt::tools {
namespace {

constexpr int output_compression_level = 3;

// A part has some megabytes of lines: enough for a thread, little enough to be held twice.
constexpr std::size_t part_events = 2048;

// How many parts are made at once. More would wait for the one that writes them.
std::size_t makers() {
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 3);
}

class Jsonl final : public Exporter {
 public:
  explicit Jsonl(Export& work)
      : work_(work), facts_(work.source, work.state), reading_(work.source, facts_) {
    for (std::size_t i = 0; i < makers(); ++i) makers_.push_back(std::make_unique<Maker>(facts_));
  }

  Status begin() override {
    render::StringWriter text;
    render::JsonWriter json(text);
    json.begin_document(jsonl_schema, jsonl_schema_version)
        .member("record", "header")
        .member("run", work_.source.run_id())
        .member("stream", run_stream(work_.source.run_id()))
        .member("events", work_.source.head().value)
        .member("origin", work_.source.origin())
        .member("pievt_version", work_.options.pievt_version)
        .member("redacted", work_.manifest.redactions.has_value())
        .end_object()
        .end_document();
    work_.out.write(text.text());
    ++work_.manifest.items_out;
    return write_outputs();
  }

  Status event(const EventView& event) override {
    if (reading_.add(event, filled_)) return {};
    return filled_.end ? drain() : hand_on();
  }

  Status end() override {
    PIEVT_TRY(drain());
    ++work_.manifest.items_out;
    render::StringWriter text;
    render::JsonWriter json(text);
    json.begin_object().member("record", "manifest");
    write_manifest_members(json, work_.manifest);
    json.end_object().end_document();
    work_.out.write(text.text());
    return {};
  }

 private:
  // Makes a part of the lines at a time.
  struct Maker {
    explicit Maker(const EventFacts& facts) : encoding(facts) {}

    JsonlEncoding encoding;
    JsonlLines lines;
    Beside work;  // last: what it works on outlives it
  };

  // Each window one stage further: filled, given its texts, written.
  Status hand_on() {
    PIEVT_TRY(texts_.wait());
    std::swap(written_, read_);
    std::swap(read_, filled_);
    filled_.clear();
    const auto read = [this]() -> Status {
      reading_.read_texts(read_);
      return {};
    };
    if (work_.source.reads_blobs_beside()) {
      texts_.start(read);
    } else {
      PIEVT_TRY(read());
    }
    return write(written_);
  }

  Status drain() {
    PIEVT_TRY(hand_on());
    return hand_on();
  }

  Status write(const JsonlWindow& window) {
    std::size_t begun = 0;
    const auto begin = [&](Maker& maker) {
      const std::size_t first = begun;
      begun = std::min(first + part_events, window.items.size());
      maker.work.start([&window, &maker, first, end = begun]() -> Status {
        maker.encoding.encode(window, first, end, maker.lines);
        return {};
      });
    };
    for (std::size_t i = 0; i < makers_.size() && begun < window.items.size(); ++i)
      begin(*makers_[i]);
    const std::size_t parts = (window.items.size() + part_events - 1) / part_events;
    for (std::size_t part = 0; part < parts; ++part) {
      Maker& maker = *makers_[part % makers_.size()];
      PIEVT_TRY(maker.work.wait());
      PIEVT_TRY(maker.lines.write(work_, window));
      maker.lines.clear();
      if (begun < window.items.size()) begin(maker);
    }
    return {};
  }

  // Chunk by chunk as it was captured, since the events name the chunks.
  Status write_outputs() {
    for (const CapturedChannel& channel : work_.outputs) {
      std::size_t chunk = 0;
      const Result<std::uint64_t> read = work_.source.output(
          channel.key, *channel.attempt_in(work_.state),
          [&](std::span<const std::byte> raw) -> Status {
            if (work_.out.done()) return Error{Errc::io, "what is written to takes no more"};
            if (chunk >= channel.chunks.size()) return Error{Errc::corrupt, "too many chunks"};
            const CapturedChunk& is = channel.chunks[chunk];
            const auto frame = PIEVT_TRY(compress(raw, output_compression_level));
            line_.clear();
            fmt::format_to(std::back_inserter(line_),
                           R"({{"record":"output","job":{},"attempt":{},"channel":"{}",)"
                           R"("chunk":{},"offset":{},"size":{},"restart":{},"zstd":")",
                           channel.key.job, channel.key.attempt,
                           schema::EnumNameOutputChannel(channel.key.channel), is.number, is.offset,
                           raw.size(), is.restart);
            append_base64(line_, frame);
            line_ += "\"}\n";
            work_.out.write(line_);
            ++work_.manifest.items_out;
            ++chunk;
            return {};
          });
      // Of what was redacted or never arrived there is nothing to write.
      if (!read.ok() && work_.out.done()) return read.error();
      work_.miss_output(channel.chunks.size() - chunk);
    }
    return {};
  }

  Export& work_;
  EventFacts facts_;
  JsonlReading reading_;
  std::string line_;
  JsonlWindow filled_, read_, written_;
  // Last: what they work on outlives them.
  Beside texts_;
  std::vector<std::unique_ptr<Maker>> makers_;
};

}  // namespace

std::unique_ptr<Exporter> make_jsonl(Export& work) {
  return std::make_unique<Jsonl>(work);
}

}  // namespace pievt::tools
