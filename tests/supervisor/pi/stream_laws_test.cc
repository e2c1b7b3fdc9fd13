// Laws over whole streams: any chunks, any cut, any damage.
#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "supervisor/pi/limits.h"
#include "supervisor/pi/text.h"
#include "testing.h"

namespace pievt::pi {
namespace {

TEST(StreamLaws, ObservationsDoNotDependOnChunks) {
  for (const Capture& capture : small_captures()) {
    const auto whole = without_streaming(observe(capture.stdout_bytes));
    EXPECT_FALSE(whole.empty());
    for (const std::size_t chunk_size : {1U, 2U, 3U, 7U, 4096U}) {
      EXPECT_EQ(without_streaming(observe(capture.stdout_bytes, chunk_size)), whole)
          << capture.name << " in chunks of " << chunk_size;
    }
  }
}

TEST(StreamLaws, AStreamCanBeTakenUpAtAnyLine) {
  for (const Capture& capture : small_captures()) {
    const std::string& bytes = capture.stdout_bytes;
    const auto whole = without_streaming(observe(bytes));
    const LineStart middle = start_of(whole.at(whole.size() / 2));
    if (middle.offset > 0 && bytes.at(middle.offset - 1) != '\n') continue;  // behind foreign text
    std::vector<Observation> rest;
    const ObservationSink sink = [&rest](Observation&& seen) { rest.push_back(std::move(seen)); };
    Stream stream{middle};
    stream.feed(std::string_view{bytes}.substr(middle.offset), sink);
    stream.finish(sink);
    const std::vector<Observation> expected(
        whole.begin() + static_cast<std::ptrdiff_t>(whole.size() / 2), whole.end());
    EXPECT_EQ(without_streaming(rest), expected) << capture.name;
  }
}

// What a cut stream says is what the whole one says up to there, but for a last unfinished line.
void expect_prefix(const std::vector<Observation>& cut, const std::vector<Observation>& whole,
                   std::size_t size) {
  auto said = cut.size();
  if (said > 0) {
    const auto* const last = std::get_if<Unparsable>(&cut.back());
    if (last != nullptr && last->reason == UnparsableReason::unterminated) said -= 1;
  }
  ASSERT_LE(said, whole.size()) << "cut at " << size;
  ASSERT_TRUE(
      std::equal(cut.begin(), cut.begin() + static_cast<std::ptrdiff_t>(said), whole.begin()))
      << "cut at " << size;
}

TEST(StreamLaws, EveryPrefixSaysAPrefix) {
  for (const Capture& capture : small_captures()) {
    SCOPED_TRACE(capture.name);
    const std::string_view bytes = capture.stdout_bytes;
    const auto whole = without_streaming(observe(bytes));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto cut = without_streaming(observe(bytes.substr(0, size)));
      ASSERT_NO_FATAL_FAILURE(expect_prefix(cut, whole, size));
      const StreamFacts facts = facts_of(cut);
      const Outcome outcome = decide_outcome(facts, {0, {}, Interface::json}, {});
      ASSERT_FALSE(outcome.reason.empty());
    }
  }
}

// One random change to a stream, of the kinds that disks, pipes and foreign writers make.
std::string damaged(std::string bytes, std::mt19937_64& random) {
  const auto below = [&random](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>{0, limit - 1}(random);
  };
  static const std::vector<std::string> pieces = {std::string(3, '\0'),
                                                  "\n",
                                                  "\"",
                                                  "\\",
                                                  "{",
                                                  "}",
                                                  "[",
                                                  "]",
                                                  ",",
                                                  ":",
                                                  "\\ud83d",
                                                  "\xFF\xFE",
                                                  "{\"type\":\"",
                                                  "1e999",
                                                  "99999999999999999999999",
                                                  "-",
                                                  "null",
                                                  "\r",
                                                  "\\u0000",
                                                  "]}]}}}"};
  const int changes = 1 + static_cast<int>(below(8));
  for (int i = 0; i < changes && !bytes.empty(); ++i) {
    const std::size_t at = below(bytes.size());
    const std::size_t size = std::min(below(60) + 1, bytes.size() - at);
    switch (below(5)) {
      case 0:
        bytes[at] = static_cast<char>(below(256));
        break;
      case 1:
        bytes.erase(at, size);
        break;
      case 2:
        bytes.insert(at, pieces[below(pieces.size())]);
        break;
      case 3:
        bytes.insert(below(bytes.size()), bytes.substr(at, size));
        break;
      default:
        bytes.replace(at, size, pieces[below(pieces.size())]);
        break;
    }
  }
  return bytes;
}

// More than the usual number of seeds, for a night: PIEVT_SEEDS=200000.
std::uint64_t seeds_or(std::uint64_t usual) {
  const char* const wanted = std::getenv("PIEVT_SEEDS");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : usual;
}

bool is_utf8(const std::string& text) {
  return utf8_excerpt(text, text.size() * 3) == text;
}

struct TextIsUtf8 {
  bool operator()(const SessionStarted& e) const { return is_utf8(e.id) && is_utf8(e.cwd); }
  bool operator()(const MessageEnded& e) const {
    return is_utf8(e.text) && is_utf8(e.error_message) && is_utf8(e.model);
  }
  bool operator()(const ToolStarted& e) const { return is_utf8(e.args_json) && is_utf8(e.name); }
  bool operator()(const ToolEnded& e) const { return is_utf8(e.text) && is_utf8(e.details_json); }
  bool operator()(const RetryStarted& e) const { return is_utf8(e.error_message); }
  bool operator()(const Unparsable& e) const {
    return is_utf8(e.excerpt) && e.excerpt.size() <= limits::excerpt_size_max;
  }
  bool operator()(const OtherEvent& e) const { return is_utf8(e.type); }
  template <class Event>
  bool operator()(const Event&) const {
    return true;
  }
};

void expect_sound(const std::vector<Observation>& observations, const std::string& bytes) {
  LineStart last{0, 1};
  for (const Observation& observation : observations) {
    const LineStart at = start_of(observation);
    ASSERT_LT(at.offset, bytes.size());
    ASSERT_GE(at.offset, last.offset);
    ASSERT_GE(at.number, last.number);
    const auto newlines =
        std::count(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at.offset), '\n');
    ASSERT_EQ(at.number, static_cast<std::uint64_t>(newlines) + 1);
    ASSERT_TRUE(std::visit(TextIsUtf8{}, observation));
    last = at;
  }
}

TEST(StreamLaws, DamageIsReportedNotFatal) {
  const auto captures = small_captures();
  std::size_t unparsable = 0;
  for (std::uint64_t seed = 1; seed <= seeds_or(1500); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random{seed};
    const Capture& capture = captures[seed % captures.size()];
    const std::string bytes = damaged(capture.stdout_bytes, random);
    const auto observations = without_streaming(observe(bytes));
    ASSERT_NO_FATAL_FAILURE(expect_sound(observations, bytes));
    ASSERT_EQ(without_streaming(observe(bytes, 1 + seed % 97)), observations);
    ASSERT_FALSE(decide_outcome(facts_of(observations), capture.exit, {}).reason.empty());
    unparsable += only<Unparsable>(observations).size();
  }
  EXPECT_GT(unparsable, 500U) << "the damage is real";
}

TEST(StreamLaws, DamagedSessionFilesAreReadToTheirEnd) {
  for (const Capture& capture : small_captures()) {
    if (!capture.session) continue;
    const std::string whole = read_file(*capture.session);
    for (std::uint64_t seed = 1; seed <= seeds_or(300); ++seed) {
      std::mt19937_64 random{seed};
      const std::string bytes = damaged(whole, random);
      SessionReader in_one;
      in_one.feed(bytes);
      SessionReader in_bytes;
      for (const char byte : bytes) in_bytes.feed({&byte, 1});
      ASSERT_EQ(in_one.finish(), in_bytes.finish()) << capture.name << " seed " << seed;
    }
  }
}

}  // namespace
}  // namespace pievt::pi
