// pievt_describe: prints or updates what is derived from the schemas of events and committed.
//
//   pievt_describe --lock                  every fact of the schema, one a line
//   pievt_describe --update-lock FILE      adds to the lock file what it lacks; refuses to write
//                                          anything while a locked fact is no longer true
//   pievt_describe --events                the reference of events, as markdown
//   pievt_describe --update-events FILE    writes it to a file
//
// Exit: 0 done; 1 the schema breaks the lock; 2 usage; 3 a file cannot be read or written.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "store/format/reflect.h"
#include "store/format/schema_facts.h"
#include "store/format/schema_markdown.h"

namespace pievt {
namespace {

enum class Exit : int { done = 0, lock_broken = 1, usage = 2, file = 3 };

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return os_error("cannot read " + path.string(), errno);
  std::string text;
  std::array<char, 16384> piece{};
  do {
    file.read(piece.data(), piece.size());
    text.append(piece.data(), static_cast<std::size_t>(file.gcount()));
  } while (file);
  if (file.bad()) return os_error("cannot read " + path.string(), errno);
  return text;
}

// Beside and then over it, so that an interrupted build leaves no half a file. A file that already
// says so keeps its time.
Status write_file(const std::filesystem::path& path, std::string_view text) {
  if (auto old = read_file(path); old.ok() && *old == text) return {};
  const std::filesystem::path fresh = path.string() + ".new";
  {
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    file << text << std::flush;
    if (!file) return os_error("cannot write " + fresh.string(), errno);
  }
  std::error_code error;
  std::filesystem::rename(fresh, path, error);
  if (error) return os_error("cannot replace " + path.string(), error.value());
  return {};
}

Exit fail(const Error& error) {
  fmt::print(stderr, "pievt_describe: {}\n", error.what);
  return Exit::file;
}

Exit update_lock(const std::filesystem::path& path) {
  std::vector<std::string> locked;
  if (auto text = read_file(path); text.ok()) {
    locked = reflect::parse_lock(*text);
  } else if (text.error().code != Errc::not_found) {
    return fail(text.error());
  }
  const auto present = reflect::lock_lines(reflect::Schema::embedded_events());
  const auto difference = reflect::compare(locked, present);
  if (!difference.missing.empty()) {
    fmt::print(stderr,
               "The schema no longer says what stored events depend on:\n  {}\n{} is unchanged.\n",
               fmt::join(difference.missing, "\n  "), path.string());
    return Exit::lock_broken;
  }
  if (Status written = write_file(path, reflect::lock_text(present)); !written.ok()) {
    return fail(written.error());
  }
  fmt::print("{}: {} facts, {} of them new\n", path.string(), present.size(),
             difference.added.size());
  return Exit::done;
}

Exit update_events(const std::filesystem::path& path) {
  Status written = write_file(path, reflect::events_markdown(reflect::Schema::embedded_events()));
  return written.ok() ? Exit::done : fail(written.error());
}

Exit run(std::span<const std::string_view> arguments) {
  const reflect::Schema& events = reflect::Schema::embedded_events();
  if (arguments.size() == 1 && arguments[0] == "--lock") {
    fmt::print("{}\n", fmt::join(reflect::lock_lines(events), "\n"));
    return Exit::done;
  }
  if (arguments.size() == 1 && arguments[0] == "--events") {
    fmt::print("{}", reflect::events_markdown(events));
    return Exit::done;
  }
  if (arguments.size() == 2 && arguments[0] == "--update-lock") return update_lock(arguments[1]);
  if (arguments.size() == 2 && arguments[0] == "--update-events") {
    return update_events(arguments[1]);
  }
  fmt::print(
      stderr,
      "usage: pievt_describe --lock | --events | --update-lock FILE | --update-events FILE\n");
  return Exit::usage;
}

}  // namespace
}  // namespace pievt

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + std::max(argc, 1));
  return static_cast<int>(pievt::run(arguments));
}
