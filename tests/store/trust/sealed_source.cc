#include "tests/store/trust/sealed_source.h"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "store/trust/sealed_schemas.h"
#include "tools/exporters/outputs.h"

namespace pievt {
namespace {

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string digest_of(const schema::BlobRef& ref) {
  return text(std::as_bytes(std::span(&ref.digest(), 1)));
}

}  // namespace

std::vector<ToldEvent> told(const RunSource& source) {
  std::vector<ToldEvent> all;
  const Status walked = source.events([&](const EventView& event) -> Status {
    all.push_back({event.sequence.value, event.revision().value, event.stamp->wall_ns(),
                   event.stamp->monotonic_ns(), to_string(event.id.append), text(event.body),
                   event.id.index, event.stamp->flags(),
                   PIEVT_TRY(source.actor(event.stamp->actor()))});
    return {};
  });
  EXPECT_TRUE(walked.ok()) << (walked.ok() ? "" : walked.error().what);
  return all;
}

std::map<std::string, std::string> texts_of(const RunSource& source) {
  std::map<std::string, std::string> all;
  sealed::SourceSchemas schemas(source);
  const Status walked = source.events([&](const EventView& event) -> Status {
    for (const FoundBlob& found : PIEVT_TRY(schemas.texts(event))) {
      const auto content = source.blob(found.ref);
      all[digest_of(found.ref)] = content.ok() ? text(*content) : "(missing)";
    }
    return {};
  });
  EXPECT_TRUE(walked.ok()) << (walked.ok() ? "" : walked.error().what);
  return all;
}

std::string output_of(const RunSource& source) {
  std::string all;
  const RunState run = source.state().value();
  const auto channels = tools::captured_channels(source, run);
  EXPECT_TRUE(channels.ok());
  if (!channels.ok()) return all;
  for (const tools::CapturedChannel& channel : *channels) {
    const auto read = source.output(channel.key, *channel.attempt_in(run),
                                    [&](std::span<const std::byte> bytes) -> Status {
                                      all += text(bytes);
                                      return {};
                                    });
    EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().what);
  }
  return all;
}

Status ChangedRun::events(const EventSink& sink) const {
  return source_.events([&](const EventView& event) -> Status {
    if (fails_at.value != 0 && event.revision() == fails_at)
      return Error{Errc::io, "the disk is gone"};
    return sink(event);
  });
}

Result<std::vector<std::byte>> ChangedRun::blob(const schema::BlobRef& ref) const {
  if (!missing_text.empty() && digest_of(ref) == missing_text)
    return Error{Errc::not_found, "it was redacted"};
  return source_.blob(ref);
}

std::string slurp(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void spill(const std::filesystem::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace pievt
