// `pievt output RUN/JOB[/ATTEMPT]`: what the child wrote, byte for byte.
#include "pievt/output.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "supervisor/process/fd.h"
#include "tools/verbs/access.h"
#include "tools/verbs/bodies.h"
#include "tools/verbs/removed.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_output = {
    argument("ref", "whose: RUN/JOB, for its latest attempt, or RUN/JOB/ATTEMPT")
        .shown_as("RUN/JOB[/ATTEMPT]")
        .required()
        .completing(Complete::jobs),
    flag("--stderr", "what it wrote to its standard error"),
    flag("--session", "pi's own session file"),
    flag("--raw", "control characters as they are, also on a terminal"),
};

constexpr Manual manual_of_output = {
    .details =
        "Standard output as it was captured, not one byte more or less. While the attempt "
        "runs, what is stored already is followed by what its file has beyond that.\n\n"
        "Of an imported run the output was captured only where its source did; where it was not, "
        "that is said, and it exits with 4.",
    .options = options_of_output,
    .examples = {{{"pievt output last/intro | tail -1", "the last line pi wrote"},
                  {"pievt output last/intro/1 --stderr",
                   "what its first attempt complained about"}}},
    .outputs = Outputs::text_only,
};

const char* live_file(schema::OutputChannel channel) {
  switch (channel) {
    case schema::OutputChannel::stderr:
      return "stderr";
    case schema::OutputChannel::session:
      return "session.jsonl";
    default:
      return "stdout";
  }
}

struct Target {
  Reference reference;
  OutputKey key;
};

// The state of the attempt as it is now, or as it was at --at.
Result<std::unique_ptr<AttemptState>> find(const Context& context, const Log& log, Target& target) {
  const Revision at = PIEVT_TRY(moment(context, log, target.reference.run));
  RunState run = PIEVT_TRY(load_run(log, target.reference.run, at));
  const std::uint32_t number = *target.reference.job;
  auto* attempts = &run.attempts;
  if (number != 0) {
    const auto job = std::ranges::find(run.jobs, number, [](const auto& j) { return j->number; });
    if (job == run.jobs.end())
      return Error{Errc::not_found, "that job was not declared at that moment"};
    attempts = &(*job)->attempts;
  }
  const std::size_t count =
      target.reference.attempt.value_or(static_cast<std::uint32_t>(attempts->size()));
  if (count == 0 || count > attempts->size()) {
    return Error{Errc::not_found, "it had no such attempt at that moment"};
  }
  target.key.attempt = static_cast<std::uint32_t>(count);
  return std::move((*attempts)[count - 1]);
}

enum class Tail : std::uint8_t { read, gone };

// What the live file has from `offset` on. The child can put anything in its place, so only a plain
// file counts.
Result<Tail> write_tail(const std::filesystem::path& path, std::uint64_t offset, BodyWriter& writer,
                        const Context& context) {
  const process::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat facts {};
  if (file.get() < 0 || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return Tail::gone;
  std::array<std::byte, 64 << 10> buffer{};
  while (!context.out.done()) {
    const ssize_t got =
        ::pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_error(fmt::format("reading {}", path.string()), errno);
    if (got == 0) break;
    writer.write(std::span(buffer).first(static_cast<std::size_t>(got)));
    offset += static_cast<std::uint64_t>(got);
  }
  return Tail::read;
}

// What an attempt left besides what was captured of it: pi's session file where it was kept as
// evidence, and whether it comes from another system's record.
struct Besides {
  std::optional<schema::BlobRef> session;
  bool imported = false;
};

Result<Besides> besides(const Log& log, const OutputKey& key, Revision at) {
  Besides found;
  auto reader = log.read_stream(run_stream(key.run), {1}, at);
  while (reader.next()) {
    const EventView& event = reader.event();
    // As in a run's story: another system's run has its times told and rules that are not ours.
    if (const auto* planned = event.envelope->payload_as_RunPlanned())
      found.imported =
          event.head().occurred_ns() != 0 && !text_of(planned->ruleset()).starts_with("pievt-");
    const auto* artifact = event.envelope->payload_as_ArtifactRecorded();
    if (artifact == nullptr || event.head().job() != key.job ||
        event.head().attempt() != key.attempt)
      continue;
    if (artifact->kind() == schema::ArtifactKind::session && artifact->content() != nullptr)
      found.session = *artifact->content();
  }
  PIEVT_TRY(reader.status());
  return found;
}

// Where nothing was captured: pi's session may be kept as a file, and of what another system did
// not record nobody knows whether it was nothing.
Result<Exit> write_other(const Context& context, const Log& log, const OutputKey& key, Revision at,
                         const std::string& word, BodyWriter& writer) {
  const Besides found = PIEVT_TRY(besides(log, key, at));
  if (key.channel == schema::OutputChannel::session && found.session) {
    const auto bytes = log.get_blob(*found.session);
    if (!bytes.ok()) return with_place_of_removed(context, log, key.run, bytes.error());
    writer.write(std::span(*bytes));
    writer.finish();
    return Exit::ok;
  }
  if (!found.imported) {
    context.talk.say("it wrote nothing");
    return Exit::ok;
  }
  context.talk.warn(fmt::format(
      "the {} of {} was not captured by the system that this run was imported from{}",
      schema::EnumNameOutputChannel(key.channel), word,
      found.session ? fmt::format("; its session was: pievt output {} --session", word) : ""));
  return Exit::evidence;
}

// What the store has, from `skip` on. Returns how much it has in all.
Result<std::uint64_t> write_stored(const Log& log, const OutputKey& key,
                                   const AttemptState& attempt, std::uint64_t skip,
                                   BodyWriter& writer, const Context& context) {
  std::uint64_t at = 0;
  bool left = false;
  const auto sink = [&](std::span<const std::byte> bytes) -> Status {
    const std::uint64_t begin = at;
    at += bytes.size();
    if (at > skip) writer.write(bytes.subspan(begin < skip ? skip - begin : 0));
    left = context.out.done();
    // Ends the reading; nobody hears of it.
    if (left) return Error{Errc::io, "nobody reads any more"};
    return {};
  };
  const Result<std::uint64_t> read = read_output(log, key, attempt, sink);
  if (!read.ok() && !left) return with_place_of_removed(context, log, key.run, read.error());
  return at;
}

}  // namespace

const Manual& output_manual() {
  return manual_of_output;
}

Result<Exit> output(Context& context) {
  const bool wants_stderr = context.arguments.has("--stderr");
  const bool wants_session = context.arguments.has("--session");
  if (wants_stderr && wants_session) {
    return Error{Errc::invalid, "--stderr and --session contradict each other"};
  }
  Log log = PIEVT_TRY(open_to_read(context));
  const std::string word = *context.arguments.text("ref");
  Target target{PIEVT_TRY(resolve(context, log, word)), {}};
  if (!target.reference.job) {
    return Error{Errc::invalid,
                 fmt::format("{} is a run; name one of its jobs: {}/JOB", word, word)};
  }
  target.key = {target.reference.run, *target.reference.job, 0,
                wants_stderr    ? schema::OutputChannel::stderr
                : wants_session ? schema::OutputChannel::session
                                : schema::OutputChannel::stdout};
  auto attempt = PIEVT_TRY(find(context, log, target));
  say_scope(context, log, target.reference.run,
            PIEVT_TRY(moment(context, log, target.reference.run)));
  context.pager.begin();
  BodyWriter writer(context);
  std::uint64_t written = PIEVT_TRY(write_stored(log, target.key, *attempt, 0, writer, context));
  const bool over = attempt->phase == state::AttemptPhase::classified || context.globals.at;
  if (!over && !attempt->directory.empty()) {
    const auto path = log.info().directory / attempt->directory / live_file(target.key.channel);
    if (PIEVT_TRY(write_tail(path, written, writer, context)) == Tail::gone) {
      // Perhaps it has ended meanwhile, and all of it is in the store now.
      PIEVT_TRY(log.refresh());
      attempt = PIEVT_TRY(find(context, log, target));
      written = PIEVT_TRY(write_stored(log, target.key, *attempt, written, writer, context));
    }
    context.talk.say(fmt::format("attempt {} has not ended yet", target.key.attempt));
  }
  if (over && written == 0 && !context.out.done())
    return write_other(context, log, target.key,
                       PIEVT_TRY(moment(context, log, target.reference.run)), word, writer);
  writer.finish();
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
