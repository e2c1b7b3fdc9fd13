// The writer's side of SOCKET: other processes append through this one.
//
// One thread, one epoll. It takes what has come in from all connections together, enters it into
// the line of appends as one party, and answers when that is done: so a group of commits forms by
// itself while the one before it is being synced. It never waits for a client: what cannot be sent
// at once is kept, and a client that does not read its answers is not read from either.
#pragma once

#include <memory>

#include "pievt/result.h"

namespace pievt {

class WriterRole;
struct StorePlace;

class Server {
 public:
  /// Listens on the store's SOCKET and starts the thread. `role` must outlive it.
  static Result<std::unique_ptr<Server>> start(WriterRole& role, const StorePlace& place);

  /// Takes SOCKET away, answers what is in work, and ends the thread. Clients see the end of file
  /// and look for the next writer.
  ~Server();

  /// Asks the thread to look at what is owed to the readers (WriterRole::wake_owed_at). Any thread.
  void ring();

  struct Impl;

 private:
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pievt
