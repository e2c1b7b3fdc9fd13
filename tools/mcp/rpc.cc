// See rpc.h.
#include "tools/mcp/rpc.h"

#include <fmt/format.h>

#include "supervisor/plan/canonical.h"
#include "supervisor/plan/text.h"

namespace pievt::tools::mcp {
namespace {

using plan::JsonKind;
using plan::JsonView;

// An id as JSON; empty for what cannot be one.
std::string id_json(JsonView id) {
  if (id.kind() == JsonKind::string) return plan::json_text(id.string());
  if (id.kind() != JsonKind::number) return {};
  const auto whole = id.whole_number();
  return whole ? fmt::format("{}", *whole) : std::string();
}

}  // namespace

std::optional<Message> Message::parse(std::string line, Refusal& refusal) {
  Message out;
  out.source_ = std::make_unique<plan::Source>("message", std::move(line));
  plan::Problems problems;
  auto tree = plan::JsonTree::parse(*out.source_, problems);
  if (!tree) {
    refusal = {RpcError::parse, "null", problems.error().what};
    return std::nullopt;
  }
  out.tree_ = std::make_unique<plan::JsonTree>(std::move(*tree));
  const JsonView root = out.tree_->root();
  refusal = {RpcError::invalid_request, "null", "a message must be a JSON-RPC 2.0 object"};
  if (root.kind() != JsonKind::object) return std::nullopt;
  if (const auto id = root.find("id")) {
    out.id_ = id_json(*id);
    if (out.id_.empty()) return std::nullopt;
    refusal.id = out.id_;
  }
  const auto version = root.find("jsonrpc");
  if (!version || version->kind() != JsonKind::string || version->string() != "2.0")
    return std::nullopt;
  if (const auto method = root.find("method")) {
    if (method->kind() != JsonKind::string) return std::nullopt;
    out.method_ = method->string();
  } else if (!root.find("result") && !root.find("error")) {
    return std::nullopt;
  }
  return out;
}

std::optional<JsonView> Message::param(std::string_view name, JsonKind kind) const {
  const auto params = tree_->root().find("params");
  if (!params || params->kind() != JsonKind::object) return std::nullopt;
  const auto found = params->find(name);
  return found && found->kind() == kind ? found : std::nullopt;
}

std::string response(std::string_view id, std::string_view result) {
  return fmt::format(R"({{"jsonrpc":"2.0","id":{},"result":{}}})", id, result);
}

std::string error_response(std::string_view id, RpcError code, std::string_view what) {
  return fmt::format(R"({{"jsonrpc":"2.0","id":{},"error":{{"code":{},"message":{}}}}})", id,
                     static_cast<int>(code), plan::json_text(what));
}

std::string notification(std::string_view method, std::string_view params) {
  return fmt::format(R"({{"jsonrpc":"2.0","method":{},"params":{}}})", plan::json_text(method),
                     params);
}

}  // namespace pievt::tools::mcp
