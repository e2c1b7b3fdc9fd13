// What an MCP client says and hears: the agent tools and their calls. Each call is done by a
// process of its own (pievt tool call), seen here through an interface, so that everything about
// the protocol can be tested without one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "pievt/result.h"
#include "tools/mcp/rpc.h"

namespace pievt::tools::mcp {

using CallNumber = std::uint64_t;

class Calls {
 public:
  virtual ~Calls() = default;
  /// Starts a call with these arguments (JSON, one line). Its lines and its end are told to
  /// Server::call_line and Server::call_ended.
  virtual Status start(CallNumber number, const std::string& tool,
                       const std::string& arguments) = 0;
  /// Asks it to end.
  virtual void cancel(CallNumber number) = 0;
};

class Server {
 public:
  using Clock = std::chrono::steady_clock;
  using Send = std::function<void(const std::string& line)>;

  /// A client that hears nothing for a minute may give up; it hears of each call at least this
  /// often, where it asked to.
  static constexpr std::chrono::seconds silence_max{5};

  Server(Calls& calls, Send send) : calls_(calls), send_(std::move(send)) {}

  /// A line of the client's.
  void client_line(std::string line, Clock::time_point now);
  /// A line of a call's.
  void call_line(CallNumber number, std::string line, Clock::time_point now);
  /// A call's process has ended. One that ended without a result has failed.
  void call_ended(CallNumber number, std::string_view how);
  /// To be called at next_tick(), to say that calls are alive.
  void tick(Clock::time_point now);
  Clock::time_point next_tick(Clock::time_point now) const;

  std::size_t open_calls() const { return open_.size(); }

 private:
  struct Open {
    std::string id;     ///< of the request, JSON
    std::string token;  ///< of its progress, JSON; empty: it wants none
    std::uint64_t told = 0;
    std::string last_words = "starting";
    Clock::time_point last_told;
    bool cancelled = false;
  };

  void request(const Message& message, Clock::time_point now);
  void call_tool(const Message& message, Clock::time_point now);
  void cancelled(const Message& message);
  void tell_progress(Open& call, Clock::time_point now);
  void answer(CallNumber number, std::string_view text, std::string_view details, bool is_error);

  Calls& calls_;
  Send send_;
  CallNumber next_ = 1;
  std::map<CallNumber, Open> open_;
};

}  // namespace pievt::tools::mcp
