#include "store/log/store_files.h"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pievt/ids.h"
#include "pievt/shell_word.h"
#include "store/log/fd.h"

namespace pievt {
namespace {

constexpr std::string_view first_line = "pievt store";

std::string line_value(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(fmt::format("\n{}: ", key));
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + key.size() + 3;
  return std::string(text.substr(begin, text.find('\n', begin) - begin));
}

Status write_all(int fd, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t wrote = ::write(fd, content.data(), content.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return os_error(fmt::format("cannot write {}", path.string()), errno);
    content.remove_prefix(static_cast<std::size_t>(wrote));
  }
  if (::fsync(fd) != 0) return os_error(fmt::format("cannot sync {}", path.string()), errno);
  return {};
}

bool put_in_place(const std::filesystem::path& from, const std::filesystem::path& to,
                  Existing existing) {
  if (existing == Existing::replace) return ::rename(from.c_str(), to.c_str()) == 0;
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL) return false;
  // A file system that cannot: a second name, and the first one goes.
  return ::link(from.c_str(), to.c_str()) == 0 && ::unlink(from.c_str()) == 0;
}

// A store that has lost its STORE is not made anew over what is left of it.
Status refuse_remains(const std::filesystem::path& store) {
  std::error_code failed;
  const std::filesystem::path log = log_directory(store);
  if (!std::filesystem::exists(log, failed) || std::filesystem::is_empty(log, failed)) return {};
  return Error{Errc::corrupt,
               fmt::format("{} has a log, and STORE, which says whose it is, is gone. Nothing was "
                           "changed. Bring it back: {}",
                           store.string(), store_command("doctor --rebuild", store))};
}

}  // namespace

std::array<std::byte, 16> StoreIdentity::bytes() const {
  const Result<AppendId> parsed = parse_append_id(id);
  return parsed.ok() ? parsed->bytes : std::array<std::byte, 16>{};
}

std::uint64_t StoreIdentity::short_id() const {
  std::uint64_t value = 0;
  const auto all = bytes();
  std::memcpy(&value, all.data() + 8, sizeof(value));  // the random half
  return value;
}

Status sync_directory(const std::filesystem::path& directory) {
  const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) {
    return os_error(fmt::format("cannot sync directory {}", directory.string()), errno);
  }
  return {};
}

Status sync_write_ahead_logs(const std::filesystem::path& log) {
  std::error_code failed;
  for (std::filesystem::directory_iterator at(log, failed), end; !failed && at != end;
       at.increment(failed)) {
    if (at->path().extension() != ".log") continue;
    const Fd fd(::open(at->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    // RocksDB, which is recovering beside us, removes one when all of it is in durable tables.
    if (fd.get() < 0 && errno == ENOENT) continue;
    if (fd.get() < 0 || ::fsync(fd.get()) != 0) {
      return os_error(fmt::format("cannot sync {}", at->path().string()), errno);
    }
  }
  if (failed) return os_error(fmt::format("cannot read {}", log.string()), failed.value());
  return sync_directory(log);
}

std::size_t files_with_events(const std::filesystem::path& log) {
  std::size_t count = 0;
  std::error_code failed;
  for (std::filesystem::directory_iterator at(log, failed), end; !failed && at != end;
       at.increment(failed)) {
    const std::filesystem::path kind = at->path().extension();
    std::error_code unknown;
    if ((kind == ".sst" || kind == ".log") && at->file_size(unknown) > 0 && !unknown) ++count;
  }
  return count;
}

Status write_file_atomically(const std::filesystem::path& path, std::string_view content,
                             unsigned mode, Existing existing) {
  const std::filesystem::path temporary =
      path.string() + fmt::format(".{}.tmp", to_string(new_append_id()));
  {
    const Fd fd(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
    if (fd.get() < 0) return os_error(fmt::format("cannot create {}", temporary.string()), errno);
    PIEVT_TRY(write_all(fd.get(), content, temporary));
  }
  if (!put_in_place(temporary, path, existing)) {
    const int error = errno;
    ::unlink(temporary.c_str());
    if (existing == Existing::keep && error == EEXIST) return {};
    return os_error(fmt::format("cannot rename {} to {}", temporary.string(), path.string()),
                    error);
  }
  return sync_directory(path.parent_path());
}

Result<StoreIdentity> read_identity(const std::filesystem::path& store) {
  const std::filesystem::path path = store / "STORE";
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      PIEVT_TRY(refuse_remains(store));
      return Error{Errc::not_found,
                   fmt::format("no store in {}; make one with: pievt init", store.string())};
    }
    return os_error(fmt::format("cannot read {}", path.string()), errno);
  }
  std::array<char, 4096> buffer;
  const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
  if (got < 0) return os_error(fmt::format("cannot read {}", path.string()), errno);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(got));

  StoreIdentity identity{line_value(text, "id"), 0};
  const std::string format = line_value(text, "format");
  std::from_chars(format.data(), format.data() + format.size(), identity.format_version);
  if (!text.starts_with(first_line) || identity.format_version == 0 ||
      !parse_append_id(identity.id).ok()) {
    return Error{Errc::corrupt,
                 fmt::format("{} is not a pievt STORE file; restore it from a backup of the store",
                             path.string())};
  }
  if (identity.format_version > store_format_version) {
    return Error{Errc::too_new,
                 fmt::format("{} has format {}, and this pievt knows up to {}; use a newer pievt",
                             store.string(), identity.format_version, store_format_version)};
  }
  return identity;
}

Status make_private_directory(const std::filesystem::path& directory) {
  if (::mkdir(directory.c_str(), 0700) == 0) return {};
  if (errno != EEXIST) return os_error(fmt::format("cannot make {}", directory.string()), errno);
  struct stat facts {};
  if (::stat(directory.c_str(), &facts) != 0 || facts.st_uid != ::geteuid()) return {};
  if ((facts.st_mode & 0777) == 0700 || ::chmod(directory.c_str(), 0700) == 0) return {};
  return os_error(fmt::format("cannot make {} private", directory.string()), errno);
}

Result<StoreIdentity> create_store(const std::filesystem::path& store) {
  Result<StoreIdentity> there = read_identity(store);
  if (there.ok() || there.error().code != Errc::not_found) return there;
  PIEVT_TRY(make_private_directory(store));
  PIEVT_TRY(sync_directory(std::filesystem::absolute(store).parent_path()));
  PIEVT_TRY(
      write_identity(store, {to_string(new_append_id()), store_format_version}, Existing::keep));
  return read_identity(store);  // of several who make it at the same time one has made it
}

Status write_identity(const std::filesystem::path& store, const StoreIdentity& identity,
                      Existing existing) {
  // A store holds prompts and outputs; it ignores itself so that nobody commits it by accident.
  PIEVT_TRY(write_file_atomically(store / ".gitignore", "*\n", 0600));
  return write_file_atomically(
      store / "STORE",
      fmt::format("{}\nid: {}\nformat: {}\n", first_line, identity.id, identity.format_version),
      0600, existing);
}

Status refuse_backup(const std::filesystem::path& store) {
  std::error_code failed;
  if (!std::filesystem::exists(store / backup_marker, failed)) return {};
  return Error{
      Errc::invalid,
      fmt::format("{} is a backup and is only read; make a store of it with: pievt restore "
                  "{} DEST",
                  store.string(), shell_word(store))};
}

Result<std::filesystem::path> find_store(const std::filesystem::path& start) {
  std::error_code failed;
  std::filesystem::path at = std::filesystem::absolute(start, failed);
  if (failed)
    return Error{Errc::io,
                 fmt::format("cannot tell where {} is: {}", start.string(), failed.message())};
  for (;; at = at.parent_path()) {
    const std::filesystem::path store = at / ".pievt";
    if (std::filesystem::exists(store / "STORE", failed)) return store;
    if (at == at.root_path() || at.empty()) break;
  }
  return Error{Errc::not_found,
               fmt::format("no store in {} or any directory above; make one with: pievt init",
                           std::filesystem::absolute(start, failed).string())};
}

}  // namespace pievt
