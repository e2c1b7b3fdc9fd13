// See testing.h.
#include "testing.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

#include <gtest/gtest.h>

namespace pievt::pi {

namespace {

std::optional<int> number_or_dash(const std::string& text) {
  if (text == "-") return std::nullopt;
  return std::stoi(text);
}

// The rows of a verdict table: version, case, verdict, exit code, signal.
std::vector<Capture> read_table(const std::filesystem::path& path) {
  std::istringstream table{read_file(path)};
  std::string line;
  std::getline(table, line);
  std::vector<Capture> captures;
  while (std::getline(table, line)) {
    std::istringstream row{line};
    Capture capture;
    std::string exit_code;
    std::string signal;
    row >> capture.version >> capture.name >> capture.verdict >> exit_code >> signal;
    EXPECT_FALSE(row.fail()) << path << ": " << line;
    std::ranges::replace(capture.verdict, '-', '_');
    capture.exit = {number_or_dash(exit_code), number_or_dash(signal), Interface::json};
    captures.push_back(std::move(capture));
  }
  return captures;
}

std::optional<std::filesystem::path> if_exists(std::filesystem::path path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  return path;
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary | std::ios::ate};
  EXPECT_TRUE(file.good()) << "cannot open " << path;
  if (!file.good()) return {};
  std::string bytes(static_cast<std::size_t>(file.tellg()), '\0');
  file.seekg(0);
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  EXPECT_TRUE(file.good()) << "cannot read " << path;
  return bytes;
}

std::vector<Observation> observe(std::string_view stream, std::size_t chunk_size) {
  std::vector<Observation> observations;
  const ObservationSink sink = [&observations](Observation&& observation) {
    observations.push_back(std::move(observation));
  };
  Stream reader;
  while (!stream.empty()) {
    const std::string_view chunk = stream.substr(0, chunk_size);
    reader.feed(chunk, sink);
    stream.remove_prefix(chunk.size());
  }
  reader.finish(sink);
  return observations;
}

std::vector<Observation> without_streaming(std::vector<Observation> observations) {
  std::erase_if(observations, [](const Observation& observation) {
    return std::holds_alternative<Streaming>(observation);
  });
  return observations;
}

StreamFacts facts_of(const std::vector<Observation>& observations) {
  StreamFacts facts;
  for (const Observation& observation : observations) apply(facts, observation);
  return facts;
}

std::vector<Capture> small_captures() {
  const std::filesystem::path data = PIEVT_PI_TEST_DATA;
  std::vector<Capture> captures = read_table(data / "captures.tsv");
  for (Capture& capture : captures) {
    capture.stdout_bytes = read_file(data / "captures" / (capture.name + ".stdout.jsonl"));
    capture.session = if_exists(data / "captures" / (capture.name + ".session.jsonl"));
  }
  return captures;
}

Capture small_capture(std::string_view name) {
  for (Capture& capture : small_captures()) {
    if (capture.name == name) return std::move(capture);
  }
  ADD_FAILURE() << "no capture " << name;
  return {};
}

std::optional<std::vector<Capture>> recorded_captures() {
  const char* const shared = std::getenv("PIEVT_SHARED");
  const std::filesystem::path root =
      std::filesystem::path{shared != nullptr ? shared : PIEVT_SHARED_BESIDE} / "fixtures" / "pi";
  if (!if_exists(root)) return std::nullopt;
  std::vector<Capture> captures =
      read_table(std::filesystem::path{PIEVT_PI_TEST_DATA} / "verdicts.tsv");
  for (Capture& capture : captures) {
    const std::filesystem::path folder = root / capture.version / capture.name;
    capture.stdout_bytes = read_file(folder / "stdout.jsonl");
    capture.session = if_exists(folder / "session.jsonl");
  }
  return captures;
}

SessionTail session_of(const Capture& capture) {
  if (!capture.session) return {};
  auto tail = read_session_tail(*capture.session);
  EXPECT_TRUE(tail.ok()) << capture.name;
  return tail.ok() ? std::move(tail).value() : SessionTail{};
}

Outcome outcome_of(const Capture& capture) {
  return decide_outcome(facts_of(observe(capture.stdout_bytes)), capture.exit, session_of(capture));
}

}  // namespace pievt::pi
