// See server.h.
#include "tools/mcp/server.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pievt/version.h"
#include "supervisor/plan/canonical.h"
#include "tools/agent_tools/agent_tools.h"

namespace pievt::tools::mcp {
namespace {

using plan::json_text;
using plan::JsonKind;
using plan::JsonView;

// Versions of the protocol that differ in nothing this server does; the newest last.
constexpr std::array<std::string_view, 4> versions = {"2024-11-05", "2025-03-26", "2025-06-18",
                                                      "2025-11-25"};

constexpr std::string_view instructions =
    "Runs supervised workers (agents of their own) and reads what is recorded of them. job for one "
    "piece of work, jobs for up to four different ones, jobs_plan for the same task over many "
    "things. A call answers when its run has ended; with detach it answers at once, and show tells "
    "how it is.";

std::string initialize_result(const Message& message) {
  const auto asked = message.param("protocolVersion", JsonKind::string);
  const bool known = asked && std::ranges::find(versions, asked->string()) != versions.end();
  return fmt::format(
      R"({{"protocolVersion":{},"capabilities":{{"tools":{{}}}},"serverInfo":{{"name":"pievt",)"
      R"("version":{}}},"instructions":{}}})",
      json_text(known ? asked->string() : versions.back()), json_text(version),
      json_text(instructions));
}

std::string tools_result() {
  std::string rows;
  for (const AgentTool& tool : agent_tools()) {
    if (tool.is_for_workers()) continue;
    rows += fmt::format(R"({}{{"name":{},"title":{},"description":{},"inputSchema":{},)"
                        R"("annotations":{{"readOnlyHint":{}}}}})",
                        rows.empty() ? "" : ",", json_text(tool.name), json_text(tool.title),
                        json_text(tool.description), tool.parameters(), !tool.begins_run());
  }
  return fmt::format(R"({{"tools":[{}]}})", rows);
}

std::string text_of(JsonView object, std::string_view key) {
  const auto found = object.find(key);
  return found && found->kind() == JsonKind::string ? std::string(found->string()) : std::string();
}

// A token or a request's id: a text or a number, as JSON.
std::string token_of(std::optional<JsonView> value) {
  if (!value || (value->kind() != JsonKind::string && value->kind() != JsonKind::number)) return {};
  return json_of(*value);
}

}  // namespace

void Server::client_line(std::string line, Clock::time_point now) {
  Message::Refusal refusal;
  const auto message = Message::parse(std::move(line), refusal);
  if (!message) return send_(error_response(refusal.id, refusal.code, refusal.what));
  if (message->method().empty()) return;  // an answer; nothing is asked of clients
  if (message->is_request()) return request(*message, now);
  if (message->method() == "notifications/cancelled") cancelled(*message);
}

void Server::request(const Message& message, Clock::time_point now) {
  const std::string& method = message.method();
  if (method == "initialize") return send_(response(message.id(), initialize_result(message)));
  if (method == "ping") return send_(response(message.id(), "{}"));
  if (method == "tools/list") return send_(response(message.id(), tools_result()));
  if (method == "tools/call") return call_tool(message, now);
  send_(error_response(message.id(), RpcError::method_not_found,
                       fmt::format("there is no method {} here", method)));
}

void Server::call_tool(const Message& message, Clock::time_point now) {
  const auto name = message.param("name", JsonKind::string);
  const auto tool = find_agent_tool(name ? name->string() : std::string_view());
  if (!tool.ok())
    return send_(error_response(message.id(), RpcError::invalid_params, tool.error().what));
  const auto arguments = message.param("arguments", JsonKind::object);
  const auto meta = message.param("_meta", JsonKind::object);
  const CallNumber number = next_++;
  Open& call = open_[number];
  call.id = message.id();
  call.last_told = now;
  if (meta) call.token = token_of(meta->find("progressToken"));
  const Status started = calls_.start(number, std::string((*tool)->name),
                                      arguments ? json_of(*arguments) : std::string("{}"));
  if (!started.ok()) answer(number, started.error().what, "null", true);
}

void Server::cancelled(const Message& message) {
  std::string id = token_of(message.param("requestId", JsonKind::string));
  if (id.empty()) id = token_of(message.param("requestId", JsonKind::number));
  for (auto& [number, call] : open_) {
    if (call.id != id || call.cancelled) continue;
    call.cancelled = true;
    calls_.cancel(number);
  }
}

void Server::call_line(CallNumber number, std::string line, Clock::time_point now) {
  const auto found = open_.find(number);
  if (found == open_.end()) return;
  plan::Problems problems;
  const plan::Source source("line", std::move(line));
  const auto tree = plan::JsonTree::parse(source, problems);
  if (!tree || tree->root().kind() != JsonKind::object) return;
  const JsonView root = tree->root();
  const std::string type = text_of(root, "type");
  if (type == "result") {
    const auto error = root.find("is_error");
    const auto details = root.find("details");
    return answer(number, text_of(root, "text"),
                  details && details->kind() == JsonKind::object ? json_of(*details) : "null",
                  !error || error->kind() != JsonKind::boolean || error->boolean());
  }
  if (type == "started") found->second.last_words = "run " + text_of(root, "run");
  if (type == "progress") found->second.last_words = text_of(root, "text");
  tell_progress(found->second, now);
}

void Server::call_ended(CallNumber number, std::string_view how) {
  if (open_.contains(number))
    answer(number, fmt::format("the call ended without a result: {}", how), "null", true);
}

// A cancelled request has no answer: its sender has forgotten it.
void Server::answer(CallNumber number, std::string_view text, std::string_view details,
                    bool is_error) {
  const auto found = open_.find(number);
  if (!found->second.cancelled) {
    send_(response(
        found->second.id,
        fmt::format(
            R"({{"content":[{{"type":"text","text":{}}}],{}"isError":{}}})", json_text(text),
            details == "null" ? std::string() : fmt::format(R"("structuredContent":{},)", details),
            is_error)));
  }
  open_.erase(found);
}

void Server::tell_progress(Open& call, Clock::time_point now) {
  call.last_told = now;
  if (call.token.empty() || call.cancelled) return;
  send_(notification("notifications/progress",
                     fmt::format(R"({{"progressToken":{},"progress":{},"message":{}}})", call.token,
                                 ++call.told, json_text(call.last_words))));
}

void Server::tick(Clock::time_point now) {
  for (auto& [number, call] : open_)
    if (now - call.last_told >= silence_max) tell_progress(call, now);
}

Server::Clock::time_point Server::next_tick(Clock::time_point now) const {
  Clock::time_point next = now + std::chrono::hours(1);
  for (const auto& [number, call] : open_) next = std::min(next, call.last_told + silence_max);
  return next;
}

}  // namespace pievt::tools::mcp
