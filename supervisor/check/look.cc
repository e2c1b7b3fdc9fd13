// See look.h. Every file here may have been put there by a worker that means harm: it is opened
// without waiting, read to a bound, and hashed to a bound.
#include "supervisor/check/look.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "store/format/hash.h"
#include "store/log/fd.h"
#include "supervisor/check/find_files.h"
#include "supervisor/check/regex.h"

namespace pievt::acceptance {
namespace {

using schema::CheckStatus;

// So many files that match a pattern are tried.
constexpr std::size_t candidates_max = 1000;

struct Seen {
  CheckStatus status = CheckStatus::errored;
  std::string failure, actual;
  std::uint64_t size = 0;
  std::unique_ptr<schema::Digest> digest;
  std::string text;  ///< of a file that was small enough and asked for
};

enum class Text : std::uint8_t { ignored, wanted };

std::unique_ptr<schema::Digest> digest_of(const Digest& digest) {
  auto out = std::make_unique<schema::Digest>();
  std::memcpy(out.get(), digest.data(), digest.size());
  return out;
}

// Larger files are recorded by size alone: hashing must not make the supervisor late for its
// children.
bool read_whole(int fd, Seen& seen, Text text) {
  Sha256 hash;
  std::array<std::byte, 64 << 10> buffer;
  std::uint64_t done = 0;
  while (done <= text_bytes_max) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) {
      seen.digest = digest_of(hash.finish());
      return true;
    }
    const auto piece = std::span(buffer).first(static_cast<std::size_t>(got));
    hash.update(piece);
    done += piece.size();
    if (text == Text::wanted)
      seen.text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  }
  return false;
}

std::string wanted(const schema::RequiredPathT& path) {
  const char* what = path.type == schema::PathType::directory ? "a directory"
                     : path.type == schema::PathType::glob    ? "a file that matches"
                                                              : "a file";
  return path.min_bytes > 0 ? fmt::format("{} of at least {} bytes", what, path.min_bytes) : what;
}

Seen fail(std::string failure, std::string actual) {
  Seen seen;
  seen.status = CheckStatus::failed;
  seen.failure = std::move(failure);
  seen.actual = std::move(actual);
  return seen;
}

Seen cannot(int error) {
  Seen seen;
  seen.failure = "unreadable";
  seen.actual = std::generic_category().message(error);
  return seen;
}

Seen look(const schema::RequiredPathT& required, const std::filesystem::path& path) {
  // Not blocking, so that a pipe a worker left there cannot hold us.
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (fd.get() < 0)
    return errno == ENOENT || errno == ENOTDIR ? fail("missing", "missing") : cannot(errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return cannot(errno);
  Seen seen;
  seen.size = static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
  const bool is_directory = S_ISDIR(status.st_mode);
  if (required.type == schema::PathType::directory) {
    if (!is_directory) return fail("expected-directory", "not a directory");
    seen.actual = "a directory";
  } else {
    if (!S_ISREG(status.st_mode))
      return fail("expected-file", is_directory ? "a directory" : "not a regular file");
    seen.actual = fmt::format("{} bytes", seen.size);
    const bool asked = !required.required_regex.empty() || !required.forbidden_regex.empty();
    if (!read_whole(fd.get(), seen, asked ? Text::wanted : Text::ignored) && asked) {
      seen.failure = "too-large";
      seen.actual += fmt::format(", more than the {} MiB that are searched", text_bytes_max >> 20);
      return seen;
    }
  }
  seen.status = seen.size >= required.min_bytes ? CheckStatus::passed : CheckStatus::failed;
  if (seen.status == CheckStatus::failed) seen.failure = "too-small";
  return seen;
}

// The rows of one file. Returns whether all of it is met.
bool add_rows(const schema::RequiredPathT& required, std::string_view path, Seen seen,
              Deadline deadline, Checks& checks) {
  const std::string text = std::move(seen.text);
  schema::CheckT& row = add_check(checks, "requiredPaths", required.path);
  if (path != required.path) row.path = path;
  row.expected = wanted(required);
  row.status = seen.status;
  row.failure = std::move(seen.failure);
  row.actual = std::move(seen.actual);
  row.size = seen.size;
  row.digest = std::move(seen.digest);
  bool met = row.status == CheckStatus::passed;
  if (required.type == schema::PathType::directory || row.digest == nullptr) return met;
  const auto ask = [&](const std::vector<std::string>& patterns, const char* kind, auto answer) {
    for (const std::string& pattern : patterns) {
      schema::CheckT& check = add_check(checks, kind, required.path);
      if (path != required.path) check.path = path;
      answer(check, pattern, text, deadline);
      met = met && check.status == CheckStatus::passed;
    }
  };
  ask(required.required_regex, "requiredPaths.requiredRegex", ask_pattern);
  ask(required.forbidden_regex, "requiredPaths.forbiddenRegex", ask_forbidden_pattern);
  return met;
}

void look_for_glob(const schema::RequiredPathT& required, const std::filesystem::path& cwd,
                   Deadline deadline, Checks& checks) {
  const FoundFiles found = find_files(cwd, required.path, candidates_max, deadline);
  Checks first;
  for (const std::string& path : found.paths) {
    Checks rows;
    const bool met = add_rows(required, path, look(required, cwd / path), deadline, rows);
    if (met || first.empty()) first = std::move(rows);
    if (met) break;
  }
  if (!first.empty()) {
    std::ranges::move(first, std::back_inserter(checks));
    return;
  }
  schema::CheckT& row = add_check(checks, "requiredPaths", required.path);
  row.expected = wanted(required);
  row.status = found.incomplete.empty() ? CheckStatus::failed : CheckStatus::errored;
  row.failure = found.incomplete.empty() ? "glob-matched-nothing" : "undecided";
  row.actual = found.incomplete.empty() ? "matched nothing" : found.incomplete;
}

}  // namespace

schema::CheckT& add_check(Checks& checks, std::string_view kind, std::string_view target) {
  auto row = std::make_unique<schema::CheckT>();
  row->kind = kind;
  row->target = target;
  checks.push_back(std::move(row));
  return *checks.back();
}

std::string excerpt_of(std::string_view text, std::size_t begin, std::size_t end) {
  constexpr std::size_t around = 40, bytes_max = 200;
  std::size_t from = begin > around ? begin - around : 0;
  // Not inside a character, neither here nor at the end.
  const auto inside = [&](std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
  };
  while (from < begin && inside(from)) ++from;
  std::size_t to = std::min({text.size(), end + around, from + bytes_max});
  while (to > from && inside(to)) --to;
  std::string line(text.substr(from, to - from));
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return line;
}

namespace {

enum class Wish : std::uint8_t { required, forbidden };

void ask(schema::CheckT& seen, const std::string& pattern, std::string_view text, Deadline deadline,
         Wish wish) {
  seen.expected = fmt::format("{}/{}/", wish == Wish::required ? "" : "nothing like ",
                              excerpt_of(pattern, 0, pattern.size()));
  seen.size = text.size();
  const auto regex = Regex::compile(pattern);
  if (!regex.ok()) {
    seen.status = CheckStatus::failed;
    seen.failure = "invalid-regex";
    seen.actual = fmt::format("no regular expression: {}", regex.error().what);
    return;
  }
  const Search search = regex->search(text, deadline);
  if (search.found == Found::undecided) {
    seen.status = CheckStatus::errored;
    seen.failure = "undecided";
    seen.actual = search.reason;
    return;
  }
  const bool is_there = search.found == Found::yes;
  const bool met = is_there == (wish == Wish::required);
  seen.status = met ? CheckStatus::passed : CheckStatus::failed;
  if (!met) seen.failure = is_there ? "forbidden-matched" : "required-not-matched";
  seen.actual = is_there ? fmt::format("found at byte {}", search.begin)
                         : fmt::format("not found in {} bytes", text.size());
  if (is_there) seen.excerpt = excerpt_of(text, search.begin, search.end);
}

}  // namespace

void ask_pattern(schema::CheckT& seen, const std::string& pattern, std::string_view text,
                 Deadline deadline) {
  ask(seen, pattern, text, deadline, Wish::required);
}

void ask_forbidden_pattern(schema::CheckT& seen, const std::string& pattern, std::string_view text,
                           Deadline deadline) {
  ask(seen, pattern, text, deadline, Wish::forbidden);
}

void look_at_path(const schema::RequiredPathT& required, const std::filesystem::path& cwd,
                  Deadline deadline, Checks& checks) {
  if (required.type == schema::PathType::glob)
    return look_for_glob(required, cwd, deadline, checks);
  add_rows(required, required.path, look(required, cwd / required.path), deadline, checks);
}

void look_at_forbidden(const std::string& path, const std::filesystem::path& cwd, Checks& checks) {
  schema::CheckT& seen = add_check(checks, "forbiddenPaths", path);
  seen.expected = "nothing there";
  struct stat status {};
  if (::lstat((cwd / path).c_str(), &status) == 0) {
    seen.status = CheckStatus::failed;
    seen.failure = "forbidden-path-exists";
    seen.size = static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
    seen.actual = S_ISDIR(status.st_mode) ? "a directory" : fmt::format("{} bytes", seen.size);
  } else if (errno == ENOENT || errno == ENOTDIR) {
    seen.status = CheckStatus::passed;
    seen.actual = "nothing there";
  } else {
    seen.status = CheckStatus::errored;
    seen.failure = "unreadable";
    seen.actual = std::generic_category().message(errno);
  }
}

}  // namespace pievt::acceptance
