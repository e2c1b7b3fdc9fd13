#include "supervisor/check/contract.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "store/format/hash.h"
#include "store/log/fd.h"

namespace pievt::acceptance {
namespace {

using schema::CheckStatus;

// Larger files are recorded by size alone: hashing must not make the supervisor late for its
// children.
constexpr std::uint64_t digest_bytes_max = 16u << 20;

std::unique_ptr<schema::Digest> digest_of(int fd, std::uint64_t size) {
  if (size > digest_bytes_max) return nullptr;
  Sha256 hash;
  std::array<std::byte, 64 << 10> buffer;
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0) return nullptr;
    if (got == 0) break;
    hash.update(std::span(buffer).first(static_cast<std::size_t>(got)));
  }
  const Digest digest = hash.finish();
  auto out = std::make_unique<schema::Digest>();
  std::memcpy(out.get(), digest.data(), digest.size());
  return out;
}

std::string wanted(const schema::RequiredPathT& path) {
  if (path.type == schema::PathType::directory) return "a directory";
  return path.min_bytes > 0 ? fmt::format("a file of at least {} bytes", path.min_bytes) : "a file";
}

CheckStatus look(const schema::RequiredPathT& required, const std::filesystem::path& path,
                 schema::CheckT& seen) {
  // Not blocking, so that a pipe a worker left there cannot hold us.
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (fd.get() < 0) {
    seen.actual =
        errno == ENOENT || errno == ENOTDIR ? "missing" : std::generic_category().message(errno);
    return errno == ENOENT || errno == ENOTDIR ? CheckStatus::failed : CheckStatus::errored;
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    seen.actual = std::generic_category().message(errno);
    return CheckStatus::errored;
  }
  seen.size = static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
  if (required.type == schema::PathType::directory) {
    seen.actual = S_ISDIR(status.st_mode) ? "a directory" : "not a directory";
    return S_ISDIR(status.st_mode) ? CheckStatus::passed : CheckStatus::failed;
  }
  if (!S_ISREG(status.st_mode)) {
    seen.actual = S_ISDIR(status.st_mode) ? "a directory" : "not a regular file";
    return CheckStatus::failed;
  }
  seen.actual = fmt::format("{} bytes", seen.size);
  seen.digest = digest_of(fd.get(), seen.size);
  return seen.size >= required.min_bytes ? CheckStatus::passed : CheckStatus::failed;
}

}  // namespace

schema::GateDecidedT evaluate(const schema::AcceptanceT& contract,
                              const std::filesystem::path& cwd) {
  schema::GateDecidedT gate;
  gate.decision = schema::GateDecision::passed;
  gate.decided_by = "supervisor";
  for (const auto& required : contract.required_paths) {
    auto seen = std::make_unique<schema::CheckT>();
    seen->kind = "requiredPaths";
    seen->target = required->path;
    seen->expected = wanted(*required);
    seen->status = look(*required, cwd / required->path, *seen);
    if (seen->status != CheckStatus::passed) gate.decision = schema::GateDecision::failed;
    gate.checks.push_back(std::move(seen));
  }
  return gate;
}

}  // namespace pievt::acceptance
