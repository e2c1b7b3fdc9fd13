// The linter is a test: it reads the tree and finds what the compiler cannot. Layers that include
// upwards, libraries outside their files, sources no build knows, files too long to read, tests
// that sleep and hope. Every complaint is `path:line: error: what, use what`.
//
// Each rule is a function from a file to complaints, and has a row in `faults` that it must notice,
// so that a rule that has stopped looking is noticed too.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tidy_layers.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;

struct File {
  std::string path;  // from the root of the tree
  std::vector<std::string> lines;

  bool is_code() const { return path.ends_with(".cc") || path.ends_with(".h"); }
};

struct Complaint {
  std::size_t line;
  std::string what;
};
using Complaints = std::vector<Complaint>;

// ---- Layers ------------------------------------------------------------------------------------

// The path between the quotes or brackets of an #include; empty for any other line.
std::string_view included(std::string_view line) {
  if (!line.starts_with("#include ") || line.size() < 11) return {};
  const std::size_t end = line.find_last_of("\">");
  return end <= 10 || end == std::string_view::npos ? std::string_view()
                                                    : line.substr(10, end - 10);
}

Complaints check_layers(const File& file) {
  if (!file.is_code()) return {};
  const auto layer = std::ranges::find_if(
      layers(), [&](const Layer& row) { return file.path.starts_with(row.folder); });
  if (layer == layers().end()) return {{1, "no layer has this folder, use a row in tidy_test.cc"}};
  constexpr std::string_view roots[] = {"store/", "supervisor/", "tools/", "tests/", "bench/"};
  Complaints complaints;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string_view path = included(file.lines[i]);
    const auto begins = [path](std::string_view folder) { return path.starts_with(folder); };
    if (std::ranges::none_of(roots, begins) || begins(layer->folder)) continue;
    if (std::ranges::any_of(layer->may_include, begins)) continue;
    complaints.push_back({i + 1, fmt::format("{} includes {}, use only itself, {}", layer->folder,
                                             path, fmt::join(layer->may_include, ", "))});
  }
  return complaints;
}

// ---- Libraries ---------------------------------------------------------------------------------

// Each library is included where it is wrapped and nowhere else. Tests may, to check from outside.
struct Library {
  std::string_view header;
  std::vector<std::string_view> homes;  // beginnings of paths
};

const std::vector<Library>& libraries() {
  static const std::vector<Library> all = {
      {"rocksdb/",
       {"store/log/rocks.", "store/log/rocks_options.", "store/log/manifest_guard.", "bench/"}},
      {"boost/interprocess/", {"store/log/lock_file.", "store/log/head."}},
      {"zstd", {"store/format/zstd_codec.", "store/format/zstd_dictionary."}},
      {"zdict", {"store/format/zstd_dictionary."}},
      {"openssl/", {"store/format/hash.", "store/trust/"}},
      {"simdjson", {"supervisor/pi/", "tools/audit/", "tools/importers/", "bench/"}},
      {"rapidjson/", {"supervisor/plan/json_tree.", "supervisor/launch/"}},
      {"pcre2", {"supervisor/check/regex.", "tools/verbs/text_pattern."}},
      {"CLI/", {"tools/"}},
  };
  return all;
}

Complaints check_libraries(const File& file) {
  if (!file.is_code() || file.path.starts_with("tests/")) return {};
  Complaints complaints;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string_view header = included(file.lines[i]);
    for (const Library& library : libraries()) {
      if (!header.starts_with(library.header)) continue;
      const bool home = std::ranges::any_of(
          library.homes, [&](std::string_view place) { return file.path.starts_with(place); });
      if (home) continue;
      complaints.push_back(
          {i + 1, fmt::format("{} outside its files, use {}*", header, library.homes.front())});
    }
  }
  return complaints;
}

// ---- Shape and habits --------------------------------------------------------------------------

constexpr std::size_t lines_max = 400;
constexpr std::size_t columns_max = 100;

std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(
      std::ranges::count_if(line, [](char c) { return (c & 0xc0) != 0x80; }));
}

Complaints check_size(const File& file) {
  if (!file.is_code()) return {};
  Complaints complaints;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::size_t width = columns(file.lines[i]);
    if (width <= columns_max) continue;
    complaints.push_back({i + 1, fmt::format("{} columns, use at most {}", width, columns_max)});
  }
  if (file.lines.size() > lines_max) {
    complaints.push_back({lines_max + 1, fmt::format("{} lines, use two files of one concept each",
                                                     file.lines.size())});
  }
  return complaints;
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Lines where one of the words stands, not as a part of a longer one.
Complaints find_words(const File& file, std::initializer_list<std::string_view> words,
                      std::string_view complaint) {
  Complaints complaints;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string& line = file.lines[i];
    for (const std::string_view word : words) {
      const std::size_t at = line.find(word);
      if (at == std::string::npos || (at > 0 && is_word(line[at - 1]) && is_word(word[0])))
        continue;
      const std::size_t end = at + word.size();
      if (end < line.size() && is_word(line[end]) && is_word(word.back())) continue;
      complaints.push_back({i + 1, fmt::format("`{}` {}", word, complaint)});
    }
  }
  return complaints;
}

// The words are cut in two here, or this file would be the first to be complained about.
Complaints check_promises(const File& file) {
  return find_words(file,
                    {"TO"
                     "DO",
                     "FIX"
                     "ME",
                     "X"
                     "XX"},
                    "is a promise nobody keeps, use the code or docs/plan.md");
}

Complaints check_workplace(const File& file) {
  return find_words(file,
                    {" /wo"
                     "rk/",
                     "\"/wo"
                     "rk/",
                     "`/wo"
                     "rk/",
                     " /ro"
                     "ot/",
                     "/tmp/bu"
                     "ild"},
                    "is a path of one machine, use one from the root of the tree");
}

Complaints check_sleep(const File& file) {
  if (!file.is_code() || !file.path.starts_with("tests/")) return {};
  return find_words(file,
                    {"sle"
                     "ep_for(",
                     "sle"
                     "ep_until(",
                     "usle"
                     "ep(",
                     "nanosle"
                     "ep(",
                     "sle"
                     "ep("},
                    "hopes that time is enough, use an event to wait for");
}

constexpr Complaints (*rules[])(const File&) = {check_layers,   check_libraries, check_size,
                                                check_promises, check_workplace, check_sleep};

// ---- The tree ----------------------------------------------------------------------------------

bool is_ours(const fs::path& path) {
  static const std::vector<std::string> extensions = {".cc", ".h",    ".txt", ".cmake", ".fbs",
                                                      ".md", ".test", ".sh",  ".js",    ".ts"};
  const bool script = path.begin()->string() == "scripts" || path == "Makefile";
  return script || std::ranges::find(extensions, path.extension().string()) != extensions.end();
}

bool is_skipped(const fs::path& path) {
  const std::string name = path.filename().string();
  return name == "build" || name == "node_modules" || name == "data" ||
         (name.starts_with('.') && name != ".ci");
}

std::vector<std::string> read_lines(const fs::path& path) {
  std::ifstream stream(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
  return lines;
}

const std::vector<File>& tree() {
  static const std::vector<File> files = [] {
    const fs::path root = PIEVT_SOURCE_DIR;
    std::vector<File> found;
    for (auto at = fs::recursive_directory_iterator(root); at != fs::end(at); ++at) {
      const fs::path path = fs::relative(at->path(), root);
      if (at->is_directory() && is_skipped(path)) at.disable_recursion_pending();
      if (!at->is_regular_file() || !is_ours(path)) continue;
      found.push_back({path.generic_string(), read_lines(at->path())});
    }
    std::ranges::sort(found, {}, &File::path);
    return found;
  }();
  return files;
}

std::string show(const File& file, const Complaints& complaints) {
  std::string text;
  for (const Complaint& complaint : complaints) {
    text += fmt::format("{}:{}: error: {}\n", file.path, complaint.line, complaint.what);
  }
  return text;
}

TEST(Tidy, TheTreeIsRead) {
  const auto has = [](std::string_view path) {
    return std::ranges::find(tree(), path, &File::path) != tree().end();
  };
  for (const char* path : {"store/include/pievt/log.h", "schemas/run.fbs", "tests/tidy_test.cc",
                           "CMakeLists.txt", "README.md"}) {
    EXPECT_TRUE(has(path)) << path;
  }
  EXPECT_GT(tree().size(), 200u);
}

TEST(Tidy, EveryFileKeepsTheRules) {
  std::string all;
  for (const File& file : tree()) {
    for (const auto& rule : rules) all += show(file, rule(file));
  }
  EXPECT_TRUE(all.empty()) << "\n" << all;
}

// A source that no CMakeLists.txt names is dead; a test that none names has never failed.
TEST(Tidy, EverySourceIsBuilt) {
  std::string all;
  for (const File& source : tree()) {
    if (!source.path.ends_with(".cc")) continue;
    const bool named = std::ranges::any_of(tree(), [&](const File& list) {
      if (!list.path.ends_with("CMakeLists.txt")) return false;
      const std::string folder = list.path.substr(0, list.path.size() - 14);
      if (!source.path.starts_with(folder)) return false;
      const std::string name = source.path.substr(folder.size());
      return std::ranges::any_of(list.lines, [&](const std::string& line) {
        const std::size_t at = line.find(name);
        if (at == std::string::npos || line.find('#') < at) return false;
        const auto ends = [](char c) {
          return std::string_view(" ()\t;\"").find(c) != std::string_view::npos;
        };
        const bool begins = at == 0 || ends(line[at - 1]);
        return begins && (at + name.size() == line.size() || ends(line[at + name.size()]));
      });
    });
    if (!named) {
      all += show(source, {{1, "no CMakeLists.txt names it, use a SOURCES line or delete it"}});
    }
  }
  EXPECT_TRUE(all.empty()) << "\n" << all;
}

// A verb whose command line nobody has typed is one that nobody has seen.
TEST(Tidy, EveryVerbIsTyped) {
  std::vector<std::string> verbs;
  std::string typed;
  for (const File& file : tree()) {
    for (const std::string& line : file.lines) {
      const std::size_t at = line.find("Verb{\"");
      if (file.path == "tools/verbs.cc" && at != std::string::npos)
        verbs.push_back(line.substr(at + 6, line.find('"', at + 6) - at - 6));
      if (file.path.starts_with("tests/cli/") && line.starts_with("$ ")) typed += line + "\n";
    }
  }
  EXPECT_GT(verbs.size(), 30u);
  for (const std::string& verb : verbs) {
    const bool is_typed = typed.find("pievt " + verb + " ") != std::string::npos ||
                          typed.find("pievt " + verb + "\n") != std::string::npos;
    EXPECT_TRUE(is_typed) << verb << " has no line in tests/cli/*.test";
  }
}

// ---- The rules themselves ----------------------------------------------------------------------

struct Fault {
  std::string path;
  std::string line;
  Complaints (*rule)(const File&);
};

const Fault faults[] = {
    {"store/format/x.cc", "#include \"store/log/rocks.h\"", check_layers},
    {"store/include/pievt/x.h", "#include \"store/format/page.h\"", check_layers},
    {"store/views/x.cc", "#include \"store/log/rocks.h\"", check_layers},
    {"store/log/x.cc", "#include \"supervisor/turn/supervisor.h\"", check_layers},
    {"supervisor/turn/x.cc", "#include \"tools/render/table.h\"", check_layers},
    {"supervisor/plan/x.cc", "#include \"supervisor/turn/supervisor.h\"", check_layers},
    {"supervisor/process/x.h", "#include \"supervisor/pi/stream.h\"", check_layers},
    {"tools/render/x.cc", "#include \"tools/verbs/access.h\"", check_layers},
    {"tools/verbs/x.cc", "#include \"tests/store/seed.h\"", check_layers},
    {"cellar/x.cc", "int x;", check_layers},
    {"store/log/read.cc", "#include <rocksdb/db.h>", check_libraries},
    {"store/log/open.cc", "#include <boost/interprocess/sync/file_lock.hpp>", check_libraries},
    {"supervisor/turn/x.cc", "#include <zstd.h>", check_libraries},
    {"store/trust/x.cc", "#include <zdict.h>", check_libraries},
    {"tools/x.cc", "#include <openssl/evp.h>", check_libraries},
    {"supervisor/plan/x.cc", "#include <simdjson.h>", check_libraries},
    {"supervisor/turn/x.cc", "#include <rapidjson/document.h>", check_libraries},
    {"supervisor/turn/x.cc", "#include <CLI/CLI.hpp>", check_libraries},
    {"store/x.cc", "// " + std::string(98, 'x'), check_size},
    {"docs/x.md",
     "TO"
     "DO: later",
     check_promises},
    {"README.md",
     "see /wo"
     "rk/shared",
     check_workplace},
    {"scripts/x",
     "cd /tmp/bu"
     "ild-x",
     check_workplace},
    {"tests/x_test.cc",
     "std::this_thread::sle"
     "ep_for(1s);",
     check_sleep},
    {"tests/x_test.cc",
     "  ::sle"
     "ep(1);",
     check_sleep},
};

TEST(Tidy, EachRuleNoticesItsFault) {
  for (const Fault& fault : faults) {
    const File file{fault.path, {"// A file.", fault.line}};
    const Complaints found = fault.rule(file);
    ASSERT_EQ(found.size(), 1u) << fault.path << ": " << fault.line;
    const std::size_t line = fault.path.starts_with("cellar") ? 1 : 2;
    EXPECT_THAT(show(file, found),
                testing::StartsWith(fmt::format("{}:{}: error: ", fault.path, line)));
  }
  const File long_file{"store/x.cc", std::vector<std::string>(401, "int x;")};
  EXPECT_EQ(check_size(long_file).size(), 1u);
}

TEST(Tidy, WhatIsRightIsNotComplainedAbout) {
  const File fine{"store/log/rocks.cc",
                  {"#include <rocksdb/db.h>", "#include \"store/format/keys.h\"",
                   "#include \"pievt/log.h\"", "// " + std::string(97, 'x'),
                   "// frame/"
                   "work/units",
                   "// " + std::string("größe") + std::string(92, 'x')}};
  for (const auto& rule : rules) EXPECT_EQ(show(fine, rule(fine)), "");
}

}  // namespace
}  // namespace pievt
