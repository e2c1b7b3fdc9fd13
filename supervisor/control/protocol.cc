#include "supervisor/control/protocol.h"

#include <array>

#include <fmt/format.h>

namespace pievt::control {
namespace {

using Reader = wire::FrameReader;
using Writer = wire::FrameWriter;

enum class Kind : std::uint8_t {
  hello = 1,
  welcome,
  request,
  answer,
  progress,
  start,
  started,
  refused
};

constexpr std::size_t text_max = start_bytes_max;
constexpr std::size_t active_max = 1024;

Error malformed(std::string_view what) {
  return {Errc::invalid, fmt::format("a message over a control socket is malformed: {}", what)};
}

template <class Enum>
void put_enum(Writer& out, Enum value) {
  out.number(static_cast<std::uint8_t>(value));
}

/// A number that is none of the enum's is unknown (0), which every enum here has.
template <class Enum>
Enum take_enum(Reader& in, Enum last) {
  const auto value = in.number<std::uint8_t>();
  return value > static_cast<std::uint8_t>(last) ? Enum{} : static_cast<Enum>(value);
}

// ---- Actions: one pair of functions each, in the order of the variant ---------------------------

void put(Writer&, const AskStatus&) {}
void put(Writer& out, const Stop& stop) {
  put_enum(out, stop.mode);
  out.text(stop.reason);
}
void put(Writer& out, const Pause& pause) {
  out.text(pause.reason);
}
void put(Writer& out, const Resume& resume) {
  out.text(resume.reason);
}
void put(Writer& out, const CancelJob& cancel) {
  out.text(cancel.job);
  out.text(cancel.reason);
}
void put(Writer& out, const AddJob& add) {
  out.text(add.text);
  out.text(add.directory);
}
void put(Writer& out, const SetConcurrency& set) {
  out.number(set.attempts);
}
void put(Writer& out, const SetPriority& set) {
  out.text(set.job);
  out.number(set.priority);
}
void put(Writer&, const Subscribe&) {}
void put(Writer& out, const Hold& hold) {
  put_enum(out, hold.when_gone);
}

void take(Reader&, AskStatus&) {}
void take(Reader& in, Stop& stop) {
  stop.mode = take_enum(in, schema::StopMode::now);
  stop.reason = in.text(text_max);
}
void take(Reader& in, Pause& pause) {
  pause.reason = in.text(text_max);
}
void take(Reader& in, Resume& resume) {
  resume.reason = in.text(text_max);
}
void take(Reader& in, CancelJob& cancel) {
  cancel.job = in.text(text_max);
  cancel.reason = in.text(text_max);
}
void take(Reader& in, AddJob& add) {
  add.text = in.text(text_max);
  add.directory = in.text(text_max);
}
void take(Reader& in, SetConcurrency& set) {
  set.attempts = in.number<std::uint32_t>();
}
void take(Reader& in, SetPriority& set) {
  set.job = in.text(text_max);
  set.priority = in.number<std::int32_t>();
}
void take(Reader&, Subscribe&) {}
void take(Reader& in, Hold& hold) {
  hold.when_gone = take_enum(in, schema::CallerGone::continue_run);
}

template <std::size_t index = 0>
bool take_action(Reader& in, std::size_t which, Action& into) {
  if constexpr (index < std::variant_size_v<Action>) {
    if (which != index) return take_action<index + 1>(in, which, into);
    take(in, into.emplace<index>());
    return true;
  } else {
    return false;
  }
}

// ---- Progress -----------------------------------------------------------------------------------

void put(Writer& out, const Progress& progress) {
  out.number(progress.revision);
  put_enum(out, progress.phase);
  put_enum(out, progress.ending);
  put_enum(out, progress.stop_mode);
  for (const std::uint32_t count :
       {progress.concurrency, progress.jobs, progress.waiting, progress.running, progress.backoff,
        progress.succeeded, progress.failed, progress.cancelled, progress.skipped}) {
    out.number(count);
  }
  out.number(progress.tokens);
  out.number(progress.cost_nanodollars);
  out.number(progress.unreported_requests);
  out.text(progress.reason);
  out.number(static_cast<std::uint32_t>(progress.active.size()));
  for (const ActiveJob& job : progress.active) {
    out.text(job.id);
    out.number(job.attempt);
    out.text(job.line);
  }
}

Status take(Reader& in, Progress& progress) {
  progress.revision = in.number<std::uint64_t>();
  progress.phase = take_enum(in, state::RunPhase::finished);
  progress.ending = take_enum(in, schema::RunEnding::stopped);
  progress.stop_mode = take_enum(in, schema::StopMode::now);
  for (std::uint32_t* count : {&progress.concurrency, &progress.jobs, &progress.waiting,
                               &progress.running, &progress.backoff, &progress.succeeded,
                               &progress.failed, &progress.cancelled, &progress.skipped}) {
    *count = in.number<std::uint32_t>();
  }
  progress.tokens = in.number<std::uint64_t>();
  progress.cost_nanodollars = in.number<std::int64_t>();
  progress.unreported_requests = in.number<std::uint32_t>();
  progress.reason = in.text(text_max);
  const auto active = in.number<std::uint32_t>();
  if (active > active_max) return malformed("progress: too many jobs");
  for (std::uint32_t i = 0; i < active && in.left() > 0; ++i) {
    ActiveJob& job = progress.active.emplace_back();
    job.id = in.text(text_max);
    job.attempt = in.number<std::uint32_t>();
    job.line = in.text(text_max);
  }
  if (progress.active.size() != active) return malformed("progress: it ends too early");
  return {};
}

// ---- Errors and answers -------------------------------------------------------------------------

void put(Writer& out, const Error& error) {
  put_enum(out, error.code);
  out.text(error.what);
}

Result<Refused> take_error(Reader& in) {
  const auto code = in.number<std::uint8_t>();
  std::string what = in.text(text_max);
  if (code < 1 || code > static_cast<std::uint8_t>(Errc::io)) return malformed("error: code");
  return Refused{{static_cast<Errc>(code), std::move(what)}};
}

void put(Writer& out, const Answer& answer) {
  out.number(answer.number);
  out.number(static_cast<std::uint8_t>(answer.outcome.ok() ? 0 : 1));
  if (!answer.outcome.ok()) return put(out, answer.outcome.error());
  out.number(answer.outcome->revision);
  out.text(answer.outcome->what);
  out.number(static_cast<std::uint8_t>(answer.outcome->progress.empty() ? 0 : 1));
  if (!answer.outcome->progress.empty()) put(out, answer.outcome->progress.front());
}

Result<Message> take_answer(Reader& in) {
  Answer answer;
  answer.number = in.number<std::uint64_t>();
  if (in.number<std::uint8_t>() != 0) {
    answer.outcome = PIEVT_TRY(take_error(in)).error;
  } else {
    answer.outcome->revision = in.number<std::uint64_t>();
    answer.outcome->what = in.text(text_max);
    if (in.number<std::uint8_t>() != 0)
      PIEVT_TRY(take(in, answer.outcome->progress.emplace_back()));
  }
  if (!in.whole()) return malformed("answer");
  return Message(std::move(answer));
}

// ---- Starting -----------------------------------------------------------------------------------

void put(Writer& out, const Start& start) {
  put_enum(out, start.what);
  for (const std::string* text :
       {&start.store, &start.run, &start.plan_text, &start.plan_path, &start.plan_directory,
        &start.cwd, &start.pi, &start.tool, &start.program}) {
    out.text(*text);
  }
  out.number(start.concurrency);
  out.number(static_cast<std::uint8_t>(start.probe ? 1 : 0));
  put_enum(out, start.when_gone);
}

Result<Message> take_start(Reader& in) {
  Start start;
  start.what = take_enum(in, Start::What::resume);
  for (std::string* text :
       {&start.store, &start.run, &start.plan_text, &start.plan_path, &start.plan_directory,
        &start.cwd, &start.pi, &start.tool, &start.program}) {
    *text = in.text(text_max);
  }
  start.concurrency = in.number<std::uint32_t>();
  start.probe = in.number<std::uint8_t>() != 0;
  start.when_gone = take_enum(in, schema::CallerGone::continue_run);
  if (!in.whole() || (start.what != Start::What::plan && start.what != Start::What::resume))
    return malformed("start");
  return Message(std::move(start));
}

void put_message(Writer& out, const Hello& hello) {
  out.number(hello.protocol);
  out.text(hello.run);
  out.text(hello.program);
}
void put_message(Writer& out, const Welcome& welcome) {
  out.number(welcome.pid);
  out.text(welcome.run);
  out.text(welcome.program);
}
void put_message(Writer& out, const Request& request) {
  out.number(request.number);
  out.number(static_cast<std::uint8_t>(request.action.index()));
  std::visit([&](const auto& action) { put(out, action); }, request.action);
}
void put_message(Writer& out, const Answer& answer) {
  put(out, answer);
}
void put_message(Writer& out, const Progress& progress) {
  put(out, progress);
}
void put_message(Writer& out, const Start& start) {
  put(out, start);
}
void put_message(Writer& out, const Started& started) {
  out.text(started.run);
  out.number(started.pid);
}
void put_message(Writer& out, const Refused& refused) {
  put(out, refused.error);
}

template <class T>
Result<Message> checked(const Reader& in, T message, std::string_view name) {
  if (!in.whole()) return malformed(name);
  return Message(std::move(message));
}

}  // namespace

std::string_view name_of(const Action& action) {
  static constexpr std::array<std::string_view, std::variant_size_v<Action>> names = {
      "status", "stop",        "pause",    "resume",    "cancel",
      "add",    "concurrency", "priority", "subscribe", "hold"};
  return names[action.index()];
}

wire::Frame frame_of(const Message& message) {
  Writer out(static_cast<std::uint8_t>(message.index() + 1));
  std::visit([&](const auto& what) { put_message(out, what); }, message);
  return std::move(out).frame();
}

Result<Message> parse(std::span<const std::byte> message) {
  Reader in(message);
  switch (static_cast<Kind>(in.number<std::uint8_t>())) {
    case Kind::hello: {
      Hello hello;
      hello.protocol = in.number<std::uint32_t>();
      hello.run = in.text(1024);
      hello.program = in.text(256);
      return checked(in, std::move(hello), "hello");
    }
    case Kind::welcome: {
      Welcome welcome;
      welcome.pid = in.number<std::uint32_t>();
      welcome.run = in.text(1024);
      welcome.program = in.text(256);
      return checked(in, std::move(welcome), "welcome");
    }
    case Kind::request: {
      Request request;
      request.number = in.number<std::uint64_t>();
      if (!take_action(in, in.number<std::uint8_t>(), request.action))
        return malformed("request: unknown action");
      return checked(in, std::move(request), "request");
    }
    case Kind::answer:
      return take_answer(in);
    case Kind::progress: {
      Progress progress;
      PIEVT_TRY(take(in, progress));
      return checked(in, std::move(progress), "progress");
    }
    case Kind::start:
      return take_start(in);
    case Kind::started: {
      Started started;
      started.run = in.text(1024);
      started.pid = in.number<std::uint32_t>();
      return checked(in, std::move(started), "started");
    }
    case Kind::refused:
      return checked(in, PIEVT_TRY(take_error(in)), "refused");
  }
  return malformed("unknown kind");
}

}  // namespace pievt::control
