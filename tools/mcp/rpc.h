// JSON-RPC 2.0 as MCP uses it over stdio: one message a line. Text in, values out; nothing here
// trusts the other side.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "supervisor/plan/json_tree.h"

namespace pievt::tools::mcp {

enum class RpcError : int {
  parse = -32700,
  invalid_request = -32600,
  method_not_found = -32601,
  invalid_params = -32602,
  internal = -32603
};

/// A request (with an id) or a notification (without). Keeps the text its values point into.
class Message {
 public:
  struct Refusal {
    RpcError code = RpcError::parse;
    std::string id = "null";  ///< JSON; of the request, as far as it could be read
    std::string what;
  };

  /// Reads a line. A response of the client's (it has no method) is a message without one.
  static std::optional<Message> parse(std::string line, Refusal& refusal);

  bool is_request() const { return !id_.empty(); }
  const std::string& id() const { return id_; }  ///< JSON: a text or a whole number
  const std::string& method() const { return method_; }

  /// A member of params of that kind, or nothing.
  std::optional<plan::JsonView> param(std::string_view name, plan::JsonKind kind) const;

 private:
  std::unique_ptr<plan::Source> source_;
  std::unique_ptr<plan::JsonTree> tree_;
  std::string id_, method_;
};

std::string response(std::string_view id, std::string_view result);
std::string error_response(std::string_view id, RpcError code, std::string_view what);
std::string notification(std::string_view method, std::string_view params);

}  // namespace pievt::tools::mcp
