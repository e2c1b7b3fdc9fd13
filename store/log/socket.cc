#include "store/log/socket.h"

#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>

namespace pievt {
namespace {

constexpr const char* socket_name = "SOCKET";
constexpr int backlog = 256;

Result<Fd> open_socket_directory(const std::filesystem::path& store) {
  Fd directory(::open(store.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return os_error(fmt::format("cannot open {}", store.string()), errno);
  return directory;
}

sockaddr_un address_in(const Fd& directory) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = fmt::format("/proc/self/fd/{}/{}", directory.get(), socket_name);
  std::memcpy(address.sun_path, path.data(), path.size());  // zeros follow it
  return address;
}

Result<Fd> new_socket() {
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return os_error(Errc::io, "cannot make a socket", errno);
  return socket;
}

}  // namespace

Result<ListeningSocket> listen_on(const std::filesystem::path& store) {
  const Fd directory = PIEVT_TRY(open_socket_directory(store));
  Fd socket = PIEVT_TRY(new_socket());
  const auto failed = [&](const char* doing) {
    return os_error(fmt::format("cannot {} {}/{}", doing, store.string(), socket_name), errno);
  };
  if (::unlinkat(directory.get(), socket_name, 0) != 0 && errno != ENOENT) return failed("replace");
  const sockaddr_un address = address_in(directory);
  // The mode of the socket before it is bound is the mode of the file.
  if (::fchmod(socket.get(), 0600) != 0) return failed("protect");
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return failed("make");
  if (::listen(socket.get(), backlog) != 0) return failed("listen on");
  struct stat file {};
  if (::fstatat(directory.get(), socket_name, &file, AT_SYMLINK_NOFOLLOW) != 0)
    return failed("look at");
  return ListeningSocket{std::move(socket), file.st_ino};
}

bool socket_is_there(const std::filesystem::path& store, const ListeningSocket& listening) {
  struct stat file {};
  return ::lstat((store / socket_name).c_str(), &file) == 0 && file.st_ino == listening.inode;
}

void remove_socket(const std::filesystem::path& store) {
  static_cast<void>(::unlink((store / socket_name).c_str()));
}

Result<Fd> connect_to(const std::filesystem::path& store) {
  const Fd directory = PIEVT_TRY(open_socket_directory(store));
  Fd socket = PIEVT_TRY(new_socket());
  const sockaddr_un address = address_in(directory);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    // ENOENT and ECONNREFUSED: no writer, or none yet. EAGAIN: too many wait to be accepted.
    const bool nobody = errno == ENOENT || errno == ECONNREFUSED || errno == EAGAIN;
    return os_error(nobody ? Errc::not_found : Errc::io,
                    fmt::format("cannot reach {}/{}", store.string(), socket_name), errno);
  }
  if (!is_trusted(PIEVT_TRY(peer_of(socket.get())))) {
    return Error{Errc::unsupported,
                 fmt::format("{}/{} is served by another user; nothing is sent there",
                             store.string(), socket_name)};
  }
  return socket;
}

Result<Peer> peer_of(int connection) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return os_error(Errc::io, "the kernel does not say who is at the socket", errno);
  return Peer{credentials.pid, credentials.uid};
}

bool is_trusted(const Peer& peer) {
  return peer.uid == ::geteuid() || peer.uid == 0;
}

}  // namespace pievt
