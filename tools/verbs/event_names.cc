#include "tools/verbs/event_names.h"

#include <fmt/format.h>

#include "pievt/query.h"

namespace pievt::tools {
namespace {

constexpr std::size_t streams_kept = 64;

}  // namespace

const std::string& EventNames::stream(const EventView& event) {
  const std::uint32_t number = event.stamp->stream();
  auto found = streams_.find(number);
  if (found == streams_.end()) {
    if (streams_.size() >= streams_kept) {
      streams_.clear();
      jobs_.clear();
      looked_up_.clear();
    }
    Result<std::string> name = log_->stream_name(number);
    found = streams_.emplace(number, name.ok() ? *name : fmt::format("stream {}", number)).first;
  }
  return found->second;
}

void EventNames::see(const EventView& event) {
  visit(event, [&](const schema::JobDeclared& declared) {
    stream(event);  // first, since it may forget other streams
    jobs_[{event.stamp->stream(), event.head().job()}] = declared.id()->str();
  });
}

// Read backward, or filtered, a job's declaration has not passed yet.
void EventNames::look_up(const EventView& event) {
  const std::string& name = stream(event);
  const std::uint32_t number = event.stamp->stream();
  if (!name.starts_with("run/") || !looked_up_.emplace(number, true).second) return;
  const Result<RunState> run = load_run(*log_, std::string_view(name).substr(4));
  if (!run.ok()) return;
  for (const auto& job : run->jobs) jobs_[{number, job->number}] = job->id;
}

std::string EventNames::job(const EventView& event) {
  const std::uint32_t number = event.head().job();
  if (number == 0) return "";
  const std::pair key{event.stamp->stream(), number};
  if (!jobs_.contains(key)) look_up(event);
  const auto found = jobs_.find(key);
  return found == jobs_.end() ? fmt::format("{}", number) : found->second;
}

std::string EventNames::subject(const EventView& event) {
  const std::uint32_t attempt = event.head().attempt();
  std::string name = job(event);
  if (name.empty() && attempt != 0) name = "_probe";
  return attempt == 0 ? name : fmt::format("{}/{}", name, attempt);
}

}  // namespace pievt::tools
