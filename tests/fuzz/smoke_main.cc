// What runs a fuzzer every day, without libFuzzer: the corpus as it is, then seeded mutations of
// it.
//
//   plan_fuzz <file or folder>...        every file is an input, and what mutations begin with
//
// PIEVT_SEED=<n>              other mutations
// PIEVT_FUZZ_RUNS=<n>         how many; 0: only the files, e.g. to repeat one that was found
// PIEVT_FUZZ_PATIENCE_S=<n>   an input that takes longer hangs
//
// The target runs in a child, so that whatever ends it (a sanitizer, an assertion, a signal, a
// hang) is told with the number of the input, which is all that is needed to make it again: input
// n is a function of the corpus, the seed and n. Exit: 0 nothing was found, 1 something was, 2 the
// corpus cannot be used.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "tests/fuzz/mutate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;
using pievt::fuzz::Bytes;

struct Plan {
  std::vector<Bytes> corpus;
  std::uint64_t seed, runs, patience_s;

  std::uint64_t inputs() const { return corpus.size() + runs; }

  Bytes input(std::uint64_t number) const {
    if (number < corpus.size()) return corpus[number];
    // Neighbouring seeds must not share their mutations.
    return pievt::fuzz::mutate(corpus, seed * 0x9e3779b97f4a7c15u + number);
  }
};

// Where the child is; shared with it.
using Progress = std::atomic<std::uint64_t>;
static_assert(Progress::is_always_lock_free);

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::optional<std::vector<Bytes>> read_corpus(std::vector<fs::path> paths) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    for (const auto& entry : fs::directory_iterator(path)) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::vector<Bytes> corpus;
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    Bytes bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (!in.is_open() || bytes.empty()) {
      fmt::print("{} cannot be read or is empty\n", file.string());
      return std::nullopt;
    }
    corpus.push_back(std::move(bytes));
  }
  return corpus;
}

// In a block of exactly its size, so that the sanitizer sees a read of one byte too many.
void try_input(const Bytes& bytes) {
  const auto exact = std::make_unique<std::uint8_t[]>(bytes.size());
  std::memcpy(exact.get(), bytes.data(), bytes.size());
  static_cast<void>(LLVMFuzzerTestOneInput(exact.get(), bytes.size()));
}

[[noreturn]] void run(const Plan& plan, Progress& progress) {
  for (std::uint64_t number = 0; number < plan.inputs(); ++number) {
    progress = number;
    try_input(plan.input(number));
  }
  std::exit(0);  // not _exit: the leak sanitizer looks at what is left
}

// What ended the child; empty where it came to its end.
std::string watch(pid_t child, const Plan& plan, const Progress& progress) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  pollfd ended{pidfd, POLLIN, 0};
  std::uint64_t before = plan.inputs();
  std::string fate;
  while (pidfd >= 0 && ::poll(&ended, 1, static_cast<int>(plan.patience_s * 1000)) == 0) {
    if (progress == before) {
      fate = fmt::format("no end after {} s", plan.patience_s);
      ::kill(child, SIGKILL);
      break;
    }
    before = progress;
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(pidfd);
  if (!fate.empty()) return fate;
  if (WIFSIGNALED(status)) return fmt::format("ended by signal {}", WTERMSIG(status));
  return WEXITSTATUS(status) == 0 ? "" : fmt::format("exit status {}", WEXITSTATUS(status));
}

void tell(const char* program, const Plan& plan, std::uint64_t number, const std::string& fate) {
  const fs::path kept =
      fs::temp_directory_path() /
      fmt::format("{}-{}-{}", fs::path(program).filename().string(), plan.seed, number);
  const Bytes bytes = plan.input(number);
  std::ofstream(kept, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  fmt::print("found: {}, by input {} of {} bytes with PIEVT_SEED={}\n", fate, number, bytes.size(),
             plan.seed);
  fmt::print("repeat it alone: PIEVT_FUZZ_RUNS=0 {} {}\n", program, kept.string());
}

}  // namespace

int main(int argc, char** argv) {
  auto corpus = read_corpus({argv + 1, argv + std::max(argc, 1)});
  if (!corpus || corpus->empty()) {
    fmt::print("usage: {} <file or folder>...; at least one file\n", argv[0]);
    return 2;
  }
  const Plan plan{std::move(*corpus), number_from("PIEVT_SEED", 20240601),
                  number_from("PIEVT_FUZZ_RUNS", 10'000),
                  std::max<std::uint64_t>(number_from("PIEVT_FUZZ_PATIENCE_S", 30), 1)};
  void* shared =
      ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 2;
  auto& progress = *new (shared) Progress(0);
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) return 2;
  if (child == 0) run(plan, progress);
  const std::string fate = watch(child, plan, progress);
  if (!fate.empty()) {
    tell(argv[0], plan, progress, fate);
    return 1;
  }
  fmt::print("{} inputs as they are, {} mutations with seed {}: nothing found\n",
             plan.corpus.size(), plan.runs, plan.seed);
  return 0;
}
