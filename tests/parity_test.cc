// docs/parity/*.md say of each thing that an earlier system did what became of it, and which test
// shows that. A name that no test has shows nothing, so every one is looked up here: the file, and
// the case in it.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace pievt {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;

std::string read(const fs::path& path) {
  return (std::ostringstream() << std::ifstream(path, std::ios::binary).rdbuf()).str();
}

/// The tests of the tree by the names that documents call them: `x_test` for x_test.cc, `x.test`,
/// and the path of a script. Each with its text.
const std::map<std::string, std::string>& tests() {
  static const std::map<std::string, std::string> all = [] {
    std::map<std::string, std::string> found;
    const fs::path root = PIEVT_SOURCE_DIR;
    for (auto at = fs::recursive_directory_iterator(root / "tests"); at != fs::end(at); ++at) {
      if (at->path().filename() == "node_modules") at.disable_recursion_pending();
      const std::string name = at->path().filename().string();
      if (name.ends_with("_test.cc")) {
        found[name.substr(0, name.size() - 3)] += read(at->path());
      } else if (name.ends_with(".test")) {
        found[name] = read(at->path());
      } else if (name.ends_with("_test.mjs")) {
        found[fs::relative(at->path(), root).generic_string()] = read(at->path());
      }
    }
    return found;
  }();
  return all;
}

bool has_case(const std::string& name, const std::string& text, const std::string& wanted) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (name.ends_with(".mjs")) {
      if (line.find("test(") != std::string::npos && line.find(wanted) != std::string::npos)
        return true;
      continue;
    }
    // A long name may stand on the line after its group.
    const std::size_t at = line.find(wanted + ")");
    if (at == std::string::npos) continue;
    if (at == line.find_first_not_of(' ') || line.compare(0, 4, "TEST") == 0) return true;
  }
  return false;
}

struct Row {
  std::size_t line = 0;
  std::vector<std::string> cells;
  std::string text;
};

/// The rows of all tables, without their heads.
std::vector<Row> rows_of(const std::string& document) {
  std::vector<Row> rows;
  std::istringstream lines(document);
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (!line.starts_with("| ") || line.starts_with("| # ") || line.starts_with("| Q |")) continue;
    Row row{number, {}, line};
    std::istringstream cells(line.substr(2));
    for (std::string cell; std::getline(cells, cell, '|');) row.cells.push_back(cell);
    rows.push_back(std::move(row));
  }
  return rows;
}

/// What stands between backticks.
std::vector<std::string> quoted(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream pieces(text);
  bool inside = false;
  for (std::string piece; std::getline(pieces, piece, '`'); inside = !inside)
    if (inside) out.push_back(piece);
  return out;
}

bool is_test_name(const std::string& name) {
  return name.find_first_of(" |*") == std::string::npos &&
         (name.ends_with("_test") || name.ends_with("_test.mjs") || name.ends_with(".test"));
}

/// What is wrong with the tests that a row names; empty: they are there.
std::vector<std::string> complaints(const Row& row) {
  std::vector<std::string> out;
  std::size_t count = 0;
  for (const std::string& words : quoted(row.text)) {
    const std::size_t colon = std::min(words.find(": "), words.size());
    const std::string name = words.substr(0, colon);
    const std::string wanted = words.substr(std::min(colon + 2, words.size()));
    if (!is_test_name(name)) continue;
    ++count;
    const auto found = tests().find(name);
    if (found == tests().end())
      out.push_back(fmt::format("line {}: no test is called {}", row.line, name));
    else if (!wanted.empty() && !has_case(name, found->second, wanted))
      out.push_back(fmt::format("line {}: {} has no case {}", row.line, name, wanted));
  }
  if (count == 0 && row.text.find("not taken") == std::string::npos)
    out.push_back(fmt::format("line {}: it names no test", row.line));
  return out;
}

TEST(Parity, EveryTestThatIsNamedIsThere) {
  std::size_t rows = 0;
  std::vector<std::string> all;
  for (const auto& entry : fs::directory_iterator(fs::path(PIEVT_SOURCE_DIR) / "docs/parity")) {
    for (const Row& row : rows_of(read(entry.path()))) {
      ++rows;
      for (std::string& each : complaints(row))
        all.push_back(entry.path().filename().string() + ", " + std::move(each));
    }
  }
  EXPECT_THAT(all, IsEmpty()) << fmt::format("{}", fmt::join(all, "\n"));
  EXPECT_GE(rows, 95u);
}

// No scenario and no quirk is left out, and each says what became of it.
TEST(Parity, NothingIsLeftOut) {
  std::set<std::string> seen;
  for (const Row& row : rows_of(read(fs::path(PIEVT_SOURCE_DIR) / "docs/parity/jobs.md"))) {
    const std::string number = row.cells.at(0).substr(0, row.cells[0].find(' '));
    EXPECT_TRUE(seen.insert(number).second) << number << " is there twice";
    if (number.starts_with('Q')) continue;
    const std::string& became = row.cells.at(2);
    const bool said = became.starts_with(" done") || became.starts_with(" differently") ||
                      became.starts_with(" not taken");
    EXPECT_TRUE(said) << became;
  }
  for (int i = 1; i <= 62; ++i) EXPECT_TRUE(seen.contains(std::to_string(i))) << i;
  for (int i = 1; i <= 33; ++i) EXPECT_TRUE(seen.contains("Q" + std::to_string(i))) << i;
}

TEST(Parity, AWrongNameIsNoticed) {
  const auto of = [](const std::string& text) { return complaints({7, {}, text}); };
  EXPECT_THAT(of("| 1 | x | done | `parity_test: NothingIsLeftOut` |"), IsEmpty());
  EXPECT_THAT(of("| 1 | x | not taken | |"), IsEmpty());
  EXPECT_THAT(of("| 1 | x | done | |"), ::testing::ElementsAre("line 7: it names no test"));
  EXPECT_THAT(of("| 1 | x | done | `nobody_test` |"),
              ::testing::ElementsAre("line 7: no test is called nobody_test"));
  EXPECT_THAT(of("| 1 | x | done | `parity_test: Nothing` |"),
              ::testing::ElementsAre("line 7: parity_test has no case Nothing"));
  EXPECT_THAT(of("| 1 | x | done | `tests/pi/run_test.mjs: nobody tests this` |").size(), 1u);
}

}  // namespace
}  // namespace pievt
