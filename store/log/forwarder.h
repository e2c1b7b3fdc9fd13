// The way of an append in a process that may not write: over SOCKET to the one that does, and, when
// that one dies, into its place.
//
// One connection a process, shared by its threads; any number of requests are on their way at once.
// There is no thread of its own: of the threads that wait for an answer one *drives*, which is to
// read what comes for all of them, and to find the next writer when the connection ends. What was
// not answered is sent again under its id, which the log answers with the original positions when
// it had been written after all.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "pievt/log.h"
#include "store/format/wire.h"
#include "store/log/byte_stream.h"
#include "store/log/writer_role.h"

namespace pievt {

class Forwarder {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  enum class Succession : std::uint8_t { took_over, somebody_has_it };

  /// `succeed`: tries to become the writer, without waiting. Called by one thread at a time.
  Forwarder(StorePlace place, std::function<Result<Succession>()> succeed);

  enum class Seats : std::uint8_t { both, writer };
  enum class Joined : std::uint8_t { as_writer, as_client };

  /// Becomes the writer, or (with Seats::both) is accepted by one. busy at the deadline, with the
  /// sentence that names who has the store and since when. To be called once, before anything else.
  Result<Joined> join(Seats seats, Deadline deadline);

  /// Nothing: this process has become the writer, so the request is its own. busy at the deadline;
  /// whether the writer still carries it out then is open. Any thread.
  Result<std::optional<Appended>> append(const EncodedAppend::Impl& append, Deadline deadline);
  Result<std::optional<Unit>> put(wire::Shelf shelf, std::string_view key, std::string_view value,
                                  Deadline deadline);

  /// The last sequence of an append that was acknowledged to this process.
  std::uint64_t acknowledged() const { return acknowledged_; }

 private:
  struct Connection {
    ByteStream stream;
    std::uint64_t epoch = 0;  ///< of the writer at the other end
    /// Seen by a thread that sent; only the driver, who may be polling it, closes it.
    bool broken = false;
  };
  struct Pending;
  using Lock = std::unique_lock<std::mutex>;

  Result<std::optional<Appended>> request(Pending& pending, Deadline deadline);
  void drive(Lock& lock, const Pending& self, Deadline deadline);
  void reconnect(Lock& lock, Deadline deadline);
  Result<std::optional<Connection>> greet(Deadline deadline) const;
  void exchange(Lock& lock, Deadline deadline);
  void send(Pending& pending);
  void deliver(wire::Message message);
  void answer(Pending& pending, Result<Appended> result);
  void answer_all(const Error& error);
  void ring() const;
  Error busy() const;

  const StorePlace place_;
  const std::function<Result<Succession>()> succeed_;
  const Fd bell_;  ///< tells the driver that there is something to send

  std::mutex mutex_;
  std::map<std::uint64_t, Pending*> pending_;  ///< by their numbers: in the order they came
  std::optional<Connection> connection_;
  std::uint64_t last_number_ = 0;
  bool driven_ = false;
  bool succeeded_ = false;
  std::atomic<std::uint64_t> acknowledged_ = 0;
};

}  // namespace pievt
