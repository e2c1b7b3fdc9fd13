// The Unix socket of a store, SOCKET: where a process that may not write finds the one that does.
//
// It is bound and reached through an open descriptor of the store directory
// (/proc/self/fd/N/SOCKET), because a socket's address ends at 108 bytes and a store's path need
// not. Only the holder of the writer lock binds it, so a SOCKET that is there already is a dead
// writer's and goes. Who is at the other end is asked of the kernel, never of the other end.
#pragma once

#include <cstdint>
#include <filesystem>

#include <sys/types.h>

#include "pievt/result.h"
#include "store/log/fd.h"

namespace pievt {

struct ListeningSocket {
  Fd fd;
  ino_t inode = 0;  ///< of SOCKET
};

/// Makes SOCKET (mode 0600) in `store` and listens on it; non-blocking. For the holder of the
/// writer lock.
Result<ListeningSocket> listen_on(const std::filesystem::path& store);

/// Whether SOCKET is still the one that is listened on.
bool socket_is_there(const std::filesystem::path& store, const ListeningSocket& listening);

/// Takes SOCKET away. For whoever listened, before the writer lock goes.
void remove_socket(const std::filesystem::path& store);

/// A non-blocking connection to whoever listens. not_found: nobody does (now); unsupported: whoever
/// does is neither this user nor root.
Result<Fd> connect_to(const std::filesystem::path& store);

/// The process at the other end, as the kernel knows it.
struct Peer {
  pid_t pid = 0;  ///< 0: not visible from this pid namespace
  uid_t uid = 0;
};

/// io: the kernel does not tell.
Result<Peer> peer_of(int connection);

/// Whether `peer` may have a part in a store of this process's user: that user, or root.
bool is_trusted(const Peer& peer);

}  // namespace pievt
