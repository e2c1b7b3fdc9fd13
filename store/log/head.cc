#include "store/log/head.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <tuple>
#include <utility>

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/file_mapping.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <fmt/format.h>

#include "store/format/hash.h"
#include "store/log/fd.h"

namespace pievt {
namespace {

using Path = std::filesystem::path;
using Clock = std::chrono::steady_clock;
namespace layout = head_layout;
namespace ipc = boost::interprocess;

constexpr const char* head_name = "HEAD";
constexpr std::uint32_t slot_magic = 0x44414548;  // "HEAD"
constexpr std::uint32_t slot_version = 1;
constexpr std::size_t slot_count = std::size(layout::slot_offsets);

// A slot is torn only while it is written, and then the other one is whole; both can be seen torn
// only by a reader that is overtaken twice. It looks again.
constexpr int read_attempts = 4;

struct Slot {
  std::uint32_t magic;
  std::uint32_t version;
  StoreId store_id;
  BootId boot_id;
  std::uint64_t epoch;
  std::uint64_t committed;
  std::uint32_t reserved;
  std::uint32_t crc32c;  // of all bytes before it
};
static_assert(sizeof(Slot) == layout::slot_bytes && offsetof(Slot, crc32c) == 60);
static_assert(std::has_unique_object_representations_v<Slot>);
static_assert(layout::word_offset % 4 == 0 && layout::announced_offset % 4 == 0);

std::uint32_t checksum(const Slot& slot) {
  return crc32c(std::as_bytes(std::span(&slot, 1)).first(offsetof(Slot, crc32c)));
}

Slot to_slot(const HeadValue& value) {
  Slot slot{
      slot_magic, slot_version, value.store_id, value.boot_id, value.epoch, value.committed, 0, 0};
  slot.crc32c = checksum(slot);
  return slot;
}

// What the slot at `offset` of the file says; nothing if it is not whole or of a later version.
std::optional<HeadValue> read_slot(int file, std::size_t offset) {
  Slot slot{};
  if (::pread(file, &slot, sizeof(slot), static_cast<off_t>(offset)) != sizeof(slot)) {
    return std::nullopt;
  }
  if (slot.magic != slot_magic || slot.version != slot_version || slot.crc32c != checksum(slot)) {
    return std::nullopt;
  }
  return HeadValue{slot.store_id, slot.boot_id, slot.epoch, slot.committed};
}

bool is_before(const HeadValue& a, const HeadValue& b) {
  return std::tie(a.epoch, a.committed) < std::tie(b.epoch, b.committed);
}

std::optional<HeadValue> best_value(int file) {
  std::optional<HeadValue> best;
  for (int attempt = 0; attempt < read_attempts && !best; ++attempt) {
    for (const std::size_t offset : layout::slot_offsets) {
      const std::optional<HeadValue> value = read_slot(file, offset);
      if (value && (!best || is_before(*best, *value))) best = value;
    }
  }
  return best;
}

bool is_usable(const struct stat& status) {
  return S_ISREG(status.st_mode) && status.st_nlink > 0 &&
         status.st_size == off_t{layout::file_bytes};
}

long futex(void* word, int operation, std::uint32_t value, const void* timeout_or_count,
           void* other, std::uint32_t more) {
  return ::syscall(SYS_futex, word, operation, value, timeout_or_count, other, more);
}

timespec to_timespec(Clock::time_point time) {
  const auto ns = std::chrono::nanoseconds(time.time_since_epoch()).count();
  return {ns / 1'000'000'000, ns % 1'000'000'000};
}

}  // namespace

// HEAD open and mapped. The mapping is an address for the kernel and is never accessed.
struct HeadFile {
  Path store;
  Fd directory;
  Fd file;
  ipc::mapped_region mapping;

  enum class Missing : std::uint8_t { is_error, make };
  static Result<std::unique_ptr<HeadFile>> open(const Path& store, Missing missing);
  Status open_file(Missing missing);
  Status make_file();
  Status map_file();

  Error error(std::string_view doing) const {
    return os_error(fmt::format("cannot {} {}/HEAD", doing, store.string()), errno);
  }
  void* address(std::size_t offset) const {
    return static_cast<char*>(mapping.get_address()) + offset;
  }

  // Whether the name HEAD still means this file, whole.
  bool in_place() const {
    struct stat held {};
    struct stat named {};
    return ::fstat(file.get(), &held) == 0 && is_usable(held) &&
           ::fstatat(directory.get(), head_name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           held.st_dev == named.st_dev && held.st_ino == named.st_ino;
  }

  // Sleeps while the word is `seen`, until `until` of the monotonic clock. 0 when woken; EAGAIN
  // when it is another word, ETIMEDOUT, EINTR; EFAULT when the file has been cut.
  int announce_and_sleep(std::uint32_t seen, const timespec& until) const;

  Status write_at(std::size_t offset, const void* bytes, std::size_t size) const {
    const ssize_t wrote = ::pwrite(file.get(), bytes, size, static_cast<off_t>(offset));
    return wrote == static_cast<ssize_t>(size) ? Status() : error("write to");
  }

  Result<std::uint32_t> number_at(std::size_t offset) const {
    std::uint32_t number = 0;
    const ssize_t size = ::pread(file.get(), &number, sizeof(number), static_cast<off_t>(offset));
    if (size < 0) return error("read");
    if (size == sizeof(number)) return number;
    return Error{Errc::io, fmt::format("{}/HEAD has been cut short", store.string())};
  }
};

Result<std::unique_ptr<HeadFile>> HeadFile::open(const Path& store, Missing missing) {
  auto head = std::make_unique<HeadFile>();
  head->store = store;
  head->directory = Fd(::open(store.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!head->directory) {
    return os_error(fmt::format("cannot open the store directory {}", store.string()), errno);
  }
  PIEVT_TRY(head->open_file(missing));
  PIEVT_TRY(head->map_file());
  return head;
}

Status HeadFile::open_file(Missing missing) {
  constexpr int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  file = Fd(::openat(directory.get(), head_name, flags));
  if (!file && missing == Missing::is_error) return error("open");
  struct stat status {};
  const bool usable = file && ::fstat(file.get(), &status) == 0 && is_usable(status);
  if (!usable && missing == Missing::is_error) {
    return Error{Errc::not_found, fmt::format("{}/HEAD is not a file of {} bytes", store.string(),
                                              layout::file_bytes)};
  }
  if (!usable) PIEVT_TRY(make_file());
  // Allocated whole, so that a full disk is noticed here and not by a publication. It changes
  // nothing where the blocks are there.
  if (missing == Missing::make) {
    errno = ::posix_fallocate(file.get(), 0, layout::file_bytes);
    if (errno != 0) return error("allocate");
  }
  return {};
}

// What is there cannot be used. It is not cut or filled in place, because readers have it open:
// they find out that the name means another file.
Status HeadFile::make_file() {
  constexpr int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  if (::unlinkat(directory.get(), head_name, 0) != 0 && errno != ENOENT) return error("replace");
  file = Fd(::openat(directory.get(), head_name, flags, 0600));
  return file ? Status() : error("make");
}

Status HeadFile::map_file() {
  try {
    // By way of the descriptor, so that it is the file that was checked. Boost's own descriptor is
    // closed again at once; only the mapping stays.
    const std::string name = fmt::format("/proc/self/fd/{}", file.get());
    const ipc::file_mapping whole(name.c_str(), ipc::read_write);
    mapping = ipc::mapped_region(whole, ipc::read_write, 0, layout::file_bytes);
    return {};
  } catch (const ipc::interprocess_exception& exception) {
    return os_error(Errc::io, fmt::format("cannot map {}/HEAD", store.string()),
                    exception.get_native_error());
  }
}

int HeadFile::announce_and_sleep(std::uint32_t seen, const timespec& until) const {
  // Adds 1 to the announcements in the kernel, and wakes those who sleep on the number behind them:
  // nobody.
  void* const announced = address(layout::announced_offset);
  void* const nobodys = address(layout::announced_offset + sizeof(std::uint32_t));
  constexpr std::uint32_t add_one = FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0);
  if (futex(nobodys, FUTEX_WAKE_OP, 0, nullptr, announced, add_one) < 0) return errno;
  void* const word = address(layout::word_offset);
  const long slept = futex(word, FUTEX_WAIT_BITSET, seen, &until, nullptr, FUTEX_BITSET_MATCH_ANY);
  return slept < 0 ? errno : 0;
}

Result<std::optional<HeadValue>> read_head(const Path& store) {
  const Path path = store / head_name;
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file && errno == ENOENT) return std::optional<HeadValue>();
  if (!file) return os_error(Errc::io, fmt::format("cannot read {}", path.string()), errno);
  return best_value(file.get());
}

HeadWriter::HeadWriter(std::unique_ptr<HeadFile> file) : file_(std::move(file)) {}
HeadWriter::HeadWriter(HeadWriter&&) noexcept = default;
HeadWriter& HeadWriter::operator=(HeadWriter&&) noexcept = default;
HeadWriter::~HeadWriter() = default;

Result<HeadWriter> HeadWriter::open(const Path& store, const StoreId& store_id,
                                    std::uint64_t epoch) {
  const BootId boot = current_boot_id();
  if (boot == BootId{}) return Error{Errc::io, "/proc/sys/kernel/random/boot_id cannot be read"};
  HeadWriter writer(PIEVT_TRY(HeadFile::open(store, HeadFile::Missing::make)));
  writer.value_ = {store_id, boot, epoch, 0};
  PIEVT_TRY(writer.attach());
  writer.last_check_ = Clock::now();
  return writer;
}

// Takes up the word of the file that is open and clears what would win over this writer's values.
Status HeadWriter::attach() {
  const int file = file_->file.get();
  std::optional<HeadValue> best;
  next_slot_ = 0;
  for (std::size_t i = 0; i < slot_count; ++i) {
    const std::optional<HeadValue> value = read_slot(file, layout::slot_offsets[i]);
    if (!value) continue;
    if (value->store_id != value_.store_id || value->epoch >= value_.epoch) {
      const Slot nothing{};
      PIEVT_TRY(file_->write_at(layout::slot_offsets[i], &nothing, sizeof(nothing)));
    } else if (!best || is_before(*best, *value)) {
      best = value;
      next_slot_ = (i + 1) % slot_count;
    }
  }
  word_ = PIEVT_TRY(file_->number_at(layout::word_offset));
  return {};
}

Status HeadWriter::check_file(Clock::time_point now) {
  if (now - last_check_ < head_wait_max) return {};
  last_check_ = now;
  if (file_->in_place()) return {};
  file_ = PIEVT_TRY(HeadFile::open(Path(file_->store), HeadFile::Missing::make));
  return attach();
}

Status HeadWriter::wake(Clock::time_point now) {
  owed_ = false;
  last_wake_ = now;
  ++wakes_;
  void* const word = file_->address(layout::word_offset);
  const long woken = futex(word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
  // EFAULT: the file was cut. The next check makes a new one, and readers notice by themselves.
  return woken >= 0 || errno == EFAULT ? Status() : file_->error("wake the readers of");
}

Status HeadWriter::publish(std::uint64_t committed) {
  const Clock::time_point now = Clock::now();
  PIEVT_TRY(check_file(now));
  value_.committed = committed;
  const Slot slot = to_slot(value_);
  PIEVT_TRY(file_->write_at(layout::slot_offsets[next_slot_], &slot, sizeof(slot)));
  next_slot_ = (next_slot_ + 1) % slot_count;

  // What was announced so far is now for this writer to remember: as a wake that is owed. It is
  // cleared before the word moves, so that an announcement lost here is by somebody whose sleep on
  // the old word is refused, or ended by the wake below.
  owed_ = owed_ || PIEVT_TRY(take_announcements());
  ++word_;
  PIEVT_TRY(file_->write_at(layout::word_offset, &word_, sizeof(word_)));
  // The word must be out before the announcements are read again: whoever announces after this has
  // his sleep on the old word refused, because the kernel compares.
  __sync_synchronize();  // what ThreadSanitizer refuses under its C++ name
  owed_ = owed_ || PIEVT_TRY(file_->number_at(layout::announced_offset)) != 0;
  return owed_ && now - last_wake_ >= head_wake_interval ? wake(now) : Status();
}

Result<bool> HeadWriter::take_announcements() {
  if (PIEVT_TRY(file_->number_at(layout::announced_offset)) == 0) return false;
  const std::uint32_t none = 0;
  PIEVT_TRY(file_->write_at(layout::announced_offset, &none, sizeof(none)));
  return true;
}

std::optional<Clock::time_point> HeadWriter::owed_at() const {
  if (!owed_) return std::nullopt;
  return last_wake_ + head_wake_interval;
}

// The announcements stay as they are: they are by those who have seen the present word, and are
// for the next publication.
Status HeadWriter::flush_owed() {
  if (!owed_) return {};
  const Clock::time_point now = Clock::now();
  return now - last_wake_ >= head_wake_interval ? wake(now) : Status();
}

HeadWaiter::HeadWaiter(std::unique_ptr<HeadFile> file) : file_(std::move(file)) {}
HeadWaiter::HeadWaiter(HeadWaiter&&) noexcept = default;
HeadWaiter& HeadWaiter::operator=(HeadWaiter&&) noexcept = default;
HeadWaiter::~HeadWaiter() = default;

Result<HeadWaiter> HeadWaiter::open(const Path& store) {
  return HeadWaiter(PIEVT_TRY(HeadFile::open(store, HeadFile::Missing::is_error)));
}

std::uint32_t HeadWaiter::word() const {
  const Result<std::uint32_t> word = file_->number_at(layout::word_offset);
  return word.ok() ? *word : 0;
}

std::optional<HeadValue> HeadWaiter::read() const {
  return best_value(file_->file.get());
}

HeadWaiter::Outcome HeadWaiter::wait(std::uint32_t word_seen,
                                     std::chrono::milliseconds timeout) const {
  const auto bounded = std::clamp(timeout, std::chrono::milliseconds(0), head_wait_max);
  const timespec until = to_timespec(Clock::now() + bounded);
  int error = 0;
  do {
    error = file_->announce_and_sleep(word_seen, until);
    // A wake without a new word is a late one for a word already seen: announce and sleep again.
  } while (error == EINTR || (error == 0 && word() == word_seen));

  if (error == EFAULT || !file_->in_place()) return Outcome::replaced;
  if (error == 0 || error == EAGAIN) return Outcome::woken;
  if (error != ETIMEDOUT) {
    // No futexes here (a sandbox): then it is a look every so often.
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
  }
  return word() == word_seen ? Outcome::timeout : Outcome::woken;
}

}  // namespace pievt
