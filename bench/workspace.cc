// How long a tree of 50,000 files takes to walk, and to compare with how it was. Walks happen in
// the supervisor's loop, which serves nobody meanwhile.
//
//   workspace_bench                  in TMPDIR, made and removed
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "supervisor/workspace/tree.h"

namespace {

namespace fs = std::filesystem;
using pievt::workspace::Tree;

constexpr int files = 50'000;
constexpr int files_in_directory = 20;

// Directories three deep with twenty small files each, as sources and their dependencies lie.
class Forest {
 public:
  Forest() {
    std::string name = (fs::temp_directory_path() / "workspace-bench-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    for (int i = 0; i < files; ++i) {
      const int directory = i / files_in_directory;
      const fs::path where = root_ / fmt::format("part{}/module{}/d{}", directory % 10,
                                                 directory / 10 % 25, directory);
      if (i % files_in_directory == 0) fs::create_directories(where);
      std::ofstream(where / fmt::format("file_{}.ts", i)) << i;
    }
  }
  Forest(const Forest&) = delete;
  Forest& operator=(const Forest&) = delete;
  ~Forest() { fs::remove_all(root_); }

  std::string root() const { return root_.string(); }

 private:
  fs::path root_;
};

Forest& forest() {
  static Forest made;
  return made;
}

void walk(benchmark::State& state) {
  const std::string root = forest().root();
  for (auto _ : state) {
    auto tree = pievt::workspace::walk(root);
    if (!tree.ok() || tree->entries.size() != files) state.SkipWithError("not all was walked");
    benchmark::DoNotOptimize(tree);
  }
}
BENCHMARK(walk)->Unit(benchmark::kMillisecond);

void walk_and_compare(benchmark::State& state) {
  const std::string root = forest().root();
  const auto before = pievt::workspace::walk(root);
  for (auto _ : state) {
    auto now = pievt::workspace::walk(root);
    pievt::workspace::keep_digests(*before, *now);
    if (!pievt::workspace::compare(*before, *now).empty()) state.SkipWithError("nothing changed");
  }
}
BENCHMARK(walk_and_compare)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
