// The lines of a jsonl export: header, captured output, then each event behind the actor and the
// texts it refers to, and the manifest. What an event refers to comes first, so that an importer
// stores a text before the event that makes it durable, in one pass and in little memory.
//
// Three stages, each a thread: one walks the events, one reads their texts, one writes the lines.
// `out` and the counts of the manifest belong to the last of them while there is one.
#include "tools/exporters/jsonl.h"

#include <iterator>

#include <fmt/format.h>

#include "store/format/zstd_codec.h"
#include "tools/exporters/base64.h"
#include "tools/exporters/beside.h"
#include "tools/exporters/event_facts.h"
#include "tools/exporters/jsonl_window.h"
#include "tools/exporters/jsonl_writing.h"
#include "tools/exporters/outputs.h"

namespace pievt::tools {
namespace {

constexpr int output_compression_level = 3;

class Jsonl final : public Exporter {
 public:
  explicit Jsonl(Export& work)
      : work_(work),
        facts_(work.source, work.state),
        reading_(work.source, facts_),
        writing_(work, facts_) {}

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

  // The writer hears first.
  bool is_over(const render::Writer&) const override { return false; }

 private:
  // Each window one stage further: filled, given its texts, written.
  Status hand_on() {
    PIEVT_TRY(texts_.wait());
    PIEVT_TRY(lines_.wait());
    std::swap(written_, read_);
    lines_.start([this] { return writing_.write(written_); });
    std::swap(read_, filled_);
    filled_.clear();
    const auto read = [this]() -> Status {
      reading_.read_texts(read_);
      return {};
    };
    if (!work_.source.reads_blobs_beside()) return read();
    texts_.start(read);
    return {};
  }

  Status drain() {
    PIEVT_TRY(hand_on());
    PIEVT_TRY(hand_on());
    return lines_.wait();
  }

  // Chunk by chunk as it was captured, since the events name the chunks.
  Status write_outputs() {
    const std::vector<CapturedChannel> channels =
        PIEVT_TRY(captured_channels(work_.source, work_.state));
    for (const CapturedChannel& channel : channels) {
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
      // A chunk that was redacted or never arrived is one more text that is not there.
      if (!read.ok() && work_.out.done()) return read.error();
      work_.miss(channel.chunks.size() - chunk);
    }
    return {};
  }

  Export& work_;
  EventFacts facts_;
  JsonlReading reading_;
  JsonlWriting writing_;
  JsonlWindow filled_, read_, written_;
  std::string line_;
  Beside texts_, lines_;  // last: what they work on outlives them
};

}  // namespace

std::unique_ptr<Exporter> make_jsonl(Export& work) {
  return std::make_unique<Jsonl>(work);
}

}  // namespace pievt::tools
