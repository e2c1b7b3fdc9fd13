#include "tests/faults/attempt.h"

#include <cstdlib>
#include <optional>

#include <unistd.h>

#include <fmt/format.h>

#include "tests/store/log/temp_store.h"

namespace pievt::faults {
namespace {

constexpr int blob_artifact_size = 1;

NewEvent blob_event(const schema::BlobRef& ref) {
  schema::ArtifactRecordedT recorded;
  recorded.path = "evidence.txt";
  recorded.size = blob_artifact_size;
  recorded.content = std::make_unique<schema::BlobRef>(ref);
  return {std::move(recorded)};
}

}  // namespace

Result<Appended> perform(Log& log, const Attempt& attempt) {
  return perform(log, attempt, attempt.durability);
}

Result<Appended> perform(Log& log, const Attempt& attempt, Durability durability) {
  std::vector<StreamEvents> streams;
  for (const auto& [name, texts] : attempt.streams) {
    StreamEvents& stream = streams.emplace_back();
    stream.stream = name;
    for (const std::string& text : texts) stream.events.push_back(text_event(text));
  }
  if (!attempt.blob.empty()) {
    const schema::BlobRef ref = PIEVT_TRY(log.put_blob(attempt.blob));
    streams.back().events.push_back(blob_event(ref));
  }
  return log.append(streams, {.id = attempt.id, .durability = durability});
}

std::filesystem::path make_scratch() {
  const bool memory = ::access("/dev/shm", W_OK | X_OK) == 0;
  const auto where = memory ? std::filesystem::path("/dev/shm")
                            : std::filesystem::canonical(std::filesystem::temp_directory_path());
  std::string name = (where / "pievt-faults-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  return name;
}

Attempt numbered_attempt(int number) {
  Attempt attempt;
  attempt.id.bytes.fill(std::byte{0x5a});
  attempt.id.bytes[15] = static_cast<std::byte>(number);
  attempt.streams = {{"a", {fmt::format("text of append {}", number)}}};
  if (number % 3 == 2) attempt.streams.emplace_back("b", std::vector<std::string>{"one", "two"});
  if (number % 4 == 3) attempt.blob = fmt::format("{}{:010000}", number, number);
  return attempt;
}

}  // namespace pievt::faults
