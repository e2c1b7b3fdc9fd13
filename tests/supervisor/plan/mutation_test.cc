// Whatever is done to a plan, it is a plan or it is refused with positions inside it (fuzz_plan.h).
// The seeds are fixed: the same mutations every time.
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "tests/supervisor/plan/fuzz_plan.h"
#include "tests/supervisor/plan/support.h"

namespace pievt::plan {
namespace {

const std::string& whole_plan() {
  static const std::string plan = quotes(R"({ // every key once
  'name': 'n', 'concurrency': 2, 'promptTemplate': '{{id}} {{v}} {{jobs.j1.final}}\u00e9',
  'nameTemplate': 'N {{id}}', 'cwdTemplate': 'c/{{id}}', 'metadataTemplate': {'m': '{{v}}'},
  'acceptanceTemplate': {'requiredPaths': ['{{l}}', {'path': 'p', 'type': 'dir', 'minBytes': 1}]},
  'matrix': [{'id': 'a', 'vars': {'v': 'x', 'l': ['1', '2']}, 'timeoutMs': 5},
             {'id': 'b', 'name': 'B', 'cwd': 'd', 'vars': {'v': ['y'], 'l': []}}],
  'jobs': [{'id': 'j1', 'prompt': 'p', 'context': ['a.md'],
            'env': {'A': 'x', 'B': {'fromEnv': 'C'}}},
           {'prompt': 'q', 'dependsOn': ['j?', {'job': 'a*', 'when': 'finished'}],
            'tools': ['read'],
            'retry': {'maxAttempts': 3, 'retryOn': ['timeout'],
                      'backoffMs': {'initial': 1, 'max': 2, 'multiplier': 2.5, 'jitter': false}}},
           {'id': 'f', 'promptFile': 'a.md', 'model': 'm/{{id}}', 'thinking': 'low',
            'priority': 1}],
  'defaults': {'timeout': '1h2m', 'vars': {'w': 'z'}, 'acceptance': {'requiredPaths': []}},
  'throttle': {'enabled': true, 'windowSize': 3, 'transientFailureThreshold': 0.5},
  'synthesis': {'mode': 'parent', 'instructions': 'i'}, 'rerunOfJobIds': ['x'], /* end */
})") + "\x1E" + "id,v\na,1\n\"b\",\"2\"\n" +
                                  "\x1E" + quotes("{'id': 'a'}\n{'id': 'b'}\n") + "\x1E" +
                                  "About {{id}}\n";
  return plan;
}

void run(const std::string& text) {
  fuzz_plan(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

TEST(Mutation, TheSeedItselfIsAPlan) {
  const std::string plan = whole_plan().substr(0, whole_plan().find('\x1E'));
  EXPECT_EQ(accepted(plan, {{"a.md", "About {{id}}"}}).jobs.size(), 5u);
}

TEST(Mutation, EveryCut) {
  for (std::size_t cut = 0; cut < whole_plan().size(); ++cut) run(whole_plan().substr(0, cut));
}

TEST(Mutation, EveryByteTakenAway) {
  for (std::size_t at = 0; at < whole_plan().size(); ++at) {
    std::string text = whole_plan();
    run(text.erase(at, 1));
  }
}

TEST(Mutation, EveryValueReplacedByEachKind) {
  const std::string& seed = whole_plan();
  for (const char* value : {"null", "true", "-1", "1e99", "\"\"", "\"{{x}}\"", "\"\xC3\xA9\"", "[]",
                            "[null]", "{}", "{\"x\":1}", "[[]]", "[\"\",{}]"}) {
    for (std::size_t colon = seed.find(": "); colon != std::string::npos;
         colon = seed.find(": ", colon + 1)) {
      const std::size_t begin = colon + 2;
      std::size_t end = begin;  // to the end of the value, by brackets and quotes
      int depth = 0;
      for (bool in_string = false; end < seed.size(); ++end) {
        const char c = seed[end];
        if (c == '"') in_string = !in_string;
        if (in_string) continue;
        if (c == '[' || c == '{') ++depth;
        if (depth == 0 && (c == ',' || c == ']' || c == '}')) break;
        if (c == ']' || c == '}') --depth;
      }
      run(seed.substr(0, begin) + value + seed.substr(end));
    }
  }
}

TEST(Mutation, RandomDamage) {
  std::mt19937 random(20240229);
  const std::string& seed = whole_plan();
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (int round = 0; round < 3'000; ++round) {
    std::string text = seed;
    for (std::size_t edits = 1 + pick(4); edits > 0; --edits) {
      const std::size_t at = pick(text.size());
      switch (pick(4)) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text[at] = "{}[]\",:/*\\ \n{0"[pick(14)];
          break;
        case 2:
          text.insert(at, seed.substr(pick(seed.size()), pick(30)));
          break;
        default:
          text.erase(at, pick(20));
      }
      if (text.empty()) text = "{";
    }
    run(text);
  }
}

TEST(Mutation, RandomBytes) {
  std::mt19937 random(5);
  for (int round = 0; round < 2'000; ++round) {
    std::string text(random() % 40, '\0');
    for (char& c : text)
      c = random() % 2 ? static_cast<char>(random()) : "{}[]\",:/*ntf1e- \n"[random() % 18];
    run(text);
  }
}

}  // namespace
}  // namespace pievt::plan
