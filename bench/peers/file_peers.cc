// Plain files: the least that being durable can cost, and what most programs do instead of a
// database.
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "bench/peers/peer.h"
#include "store/format/hash.h"
#include "tools/measure/events.h"

namespace pievt::bench {
namespace {

enum class Sync : std::uint8_t { data_only, file };

// Lines of as many bytes as an event has: what has been told elsewhere as text.
std::string json_line() {
  const std::string head =
      R"({"type":"ToolCallFinished","job":12,"attempt":1,"tool":"bash","data":")";
  const std::string tail = "\"}\n";
  std::string text = hex(std::as_bytes(std::span(payload())));
  text.resize(measure::event_bytes - head.size() - tail.size());
  return head + text + tail;
}

class FileClient final : public Client {
 public:
  FileClient(int fd, Sync sync) : fd_(fd), sync_(sync) {}

  void prepare(std::size_t events) override {
    if (prepared_ == events) return;
    prepared_ = events;
    bytes_.clear();
    if (sync_ == Sync::data_only) {
      bytes_ = measure::peer_bytes(measure::page_bytes(events));
    } else {
      for (std::size_t i = 0; i < events; ++i) bytes_ += json_line();
    }
  }

  Status append(std::size_t) override {
    const bool written =
        ::write(fd_, bytes_.data(), bytes_.size()) == static_cast<ssize_t>(bytes_.size());
    if (written && (sync_ == Sync::data_only ? ::fdatasync(fd_) : ::fsync(fd_)) == 0) return {};
    return Error{Errc::io, fmt::format("appending to a plain file: {}", std::strerror(errno))};
  }

 private:
  int fd_;
  Sync sync_;
  std::size_t prepared_ = 0;
  std::string bytes_;
};

class FilePeer final : public Peer {
 public:
  FilePeer(int fd, Sync sync) : fd_(fd), sync_(sync) {}
  ~FilePeer() override { ::close(fd_); }
  Result<std::unique_ptr<Client>> connect() override {
    return std::unique_ptr<Client>(std::make_unique<FileClient>(fd_, sync_));
  }

 private:
  int fd_;
  Sync sync_;
};

Result<std::unique_ptr<Peer>> start(const std::filesystem::path& directory, Sync sync) {
  const int fd =
      ::open((directory / "file").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return Error{Errc::io, fmt::format("making a plain file: {}", std::strerror(errno))};
  return std::unique_ptr<Peer>(std::make_unique<FilePeer>(fd, sync));
}

}  // namespace

Result<std::unique_ptr<Peer>> start_file(const std::filesystem::path& directory) {
  return start(directory, Sync::data_only);
}

Result<std::unique_ptr<Peer>> start_json_lines(const std::filesystem::path& directory) {
  return start(directory, Sync::file);
}

}  // namespace pievt::bench
