#include "tools/exporters/raw.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "pievt/bytes.h"

namespace pievt::tools {
namespace {

using Channel = schema::OutputChannel;

constexpr std::size_t tar_block = 512;

// A header as POSIX.1-1988 (ustar) has it: every tar reads it. Times are the attempt's, owners are
// nobody in particular, so that the same run always gives the same archive.
std::string tar_header(std::string_view name, std::uint64_t size, std::uint64_t seconds) {
  std::string block(tar_block, '\0');
  const auto put = [&](std::size_t at, std::string_view text) {
    std::memcpy(block.data() + at, text.data(), text.size());
  };
  if (name.size() <= 100) {
    put(0, name);
  } else {
    // Split at a slash: at most 155 bytes before it and 100 behind.
    const std::size_t slash = name.find('/', name.size() - 101);
    put(0, name.substr(slash + 1));
    put(345, name.substr(0, slash));
  }
  put(100, "0000600");
  put(108, "0000000");
  put(116, "0000000");
  // Beyond 8 GiB the size is binary, marked by the highest bit, as GNU and libarchive write it.
  if (size < (1ull << 33)) {
    put(124, fmt::format("{:011o}", size));
  } else {
    block[124] = static_cast<char>(0x80);
    for (std::size_t i = 0; i < 8; ++i) block[135 - i] = static_cast<char>(size >> (8 * i) & 0xff);
  }
  put(136, fmt::format("{:011o}", seconds));
  put(148, "        ");
  block[156] = '0';
  put(257, std::string_view("ustar\00000", 8));
  std::uint32_t sum = 0;
  for (const char c : block) sum += static_cast<std::uint8_t>(c);
  put(148, fmt::format("{:06o}", sum));
  block[154] = '\0';
  return block;
}

// Job ids are people's and may hold anything; a name in an archive must not lead out of it.
std::string safe_part(std::string_view id) {
  std::string part;
  for (const char c : id.substr(0, 80)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    part += plain ? c : '_';
  }
  if (part.empty() || part.front() == '.') part.insert(0, "_");
  return part;
}

class Raw final : public Exporter {
 public:
  Raw(Export& work, std::vector<Channel> channels) : work_(work), wanted_(std::move(channels)) {}

  // pi's session as it lay in a file when the attempt ended, where it was kept as evidence.
  Status event(const EventView& event) override {
    const auto* artifact = event.envelope->payload_as_ArtifactRecorded();
    if (artifact == nullptr || artifact->kind() != schema::ArtifactKind::session ||
        artifact->content() == nullptr)
      return {};
    const OutputKey key{work_.source.run_id(), event.head().job(), event.head().attempt(),
                        Channel::session};
    if (is_asked(key)) kept_.push_back({key, *artifact->content(), event.time_ns()});
    return {};
  }

  Status end() override {
    for (const CapturedChannel& channel : work_.outputs) {
      if (is_asked(channel.key)) channels_.push_back(channel);
    }
    return work_.options.attempt ? write_one() : write_archive();
  }

 private:
  struct Kept {
    OutputKey key;
    schema::BlobRef content;
    std::uint64_t time_ns;
  };

  bool is_asked(const OutputKey& key) const {
    return std::ranges::find(wanted_, key.channel) != wanted_.end() &&
           (!work_.options.job || *work_.options.job == key.job) &&
           (!work_.options.attempt || *work_.options.attempt == key.attempt);
  }

  // One attempt: its bytes and nothing else. Of `raw` that is its standard output.
  Status write_one() {
    for (const CapturedChannel& channel : channels_) {
      if (channel.key.channel != wanted_.front()) continue;
      ++work_.manifest.items_out;
      return write_bytes(channel);
    }
    for (const Kept& kept : kept_) {
      const std::optional<std::string> content = PIEVT_TRY(work_.text(kept.content));
      if (!content)
        return Error{Errc::not_found,
                     "the attempt's session file was kept, and its text is no "
                     "longer in the store"};
      work_.out.write(*content);
      ++work_.manifest.items_out;
      return {};
    }
    return Error{Errc::not_found, fmt::format("the attempt has no {} that was captured",
                                              schema::EnumNameOutputChannel(wanted_.front()))};
  }

  Status write_bytes(const CapturedChannel& channel) {
    PIEVT_TRY(work_.source.output(channel.key, *channel.attempt_in(work_.state),
                                  [&](std::span<const std::byte> bytes) -> Status {
                                    if (work_.out.done())
                                      return Error{Errc::io, "what is written to takes no more"};
                                    work_.out.write(text_of(bytes));
                                    return {};
                                  }));
    return {};
  }

  Status write_archive() {
    for (const CapturedChannel& channel : channels_) {
      const OutputKey& key = channel.key;
      const std::uint64_t at = channel.attempt_in(work_.state)->requested_ns / 1'000'000'000;
      work_.out.write(tar_header(name_of(key), channel.bytes(), at));
      PIEVT_TRY(write_bytes(channel));
      pad(channel.bytes());
      ++work_.manifest.items_out;
    }
    for (const Kept& kept : kept_) {
      const std::optional<std::string> content = PIEVT_TRY(work_.text(kept.content));
      if (!content) continue;
      work_.out.write(tar_header(name_of(kept.key), content->size(), kept.time_ns / 1'000'000'000));
      work_.out.write(*content);
      pad(content->size());
      ++work_.manifest.items_out;
    }
    render::StringWriter text;
    render::JsonWriter json(text, render::JsonWriter::Layout::indented);
    json.begin_document("pievt.export_manifest", 1);
    write_manifest_members(json, work_.manifest);
    json.end_object().end_document();
    work_.out.write(tar_header("MANIFEST.json", text.text().size(), 0));
    work_.out.write(text.text());
    pad(text.text().size());
    work_.out.write(std::string(2 * tar_block, '\0'));
    return {};
  }

  std::string name_of(const OutputKey& key) const {
    const JobState* job = find_job(work_.state, key.job);
    const std::string_view suffix = key.channel == Channel::session  ? "session.jsonl"
                                    : key.channel == Channel::stderr ? "stderr"
                                                                     : "stdout";
    // The number keeps apart what becomes equal when it is made harmless.
    return fmt::format("{}/{}-{}/{}/{}", safe_part(work_.source.run_id()), key.job,
                       job == nullptr ? "_probe" : safe_part(job->id), key.attempt, suffix);
  }

  void pad(std::uint64_t size) {
    work_.out.write(std::string((tar_block - size % tar_block) % tar_block, '\0'));
  }

  Export& work_;
  std::vector<Channel> wanted_;
  std::vector<CapturedChannel> channels_;
  std::vector<Kept> kept_;
};

}  // namespace

bool carried_by_raw(schema::Payload type) {
  return type == schema::Payload::OutputCaptured;
}

bool carried_by_pi_session(schema::Payload type) {
  return type == schema::Payload::OutputCaptured || type == schema::Payload::ArtifactRecorded;
}

std::unique_ptr<Exporter> make_raw(Export& work) {
  return std::make_unique<Raw>(work, std::vector{Channel::stdout, Channel::stderr});
}

std::unique_ptr<Exporter> make_pi_session(Export& work) {
  return std::make_unique<Raw>(work, std::vector{Channel::session});
}

}  // namespace pievt::tools
