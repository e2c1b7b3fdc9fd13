// `pievt cat REF`: the texts that events refer to.
#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "store/format/blob_refs.h"
#include "store/format/hash.h"
#include "tools/verbs/access.h"
#include "tools/verbs/bodies.h"
#include "tools/verbs/removed.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_cat = {
    argument("ref",
             "RUN/JOB[/ATTEMPT], a run, or the digest of a body, of which the beginning is enough")
        .shown_as("REF")
        .required()
        .repeatable()
        .completing(Complete::jobs),
    flag("--final", "the attempt's last message; what is shown without a flag"),
    flag("--prompt", "everything the attempt was given on its standard input"),
    flag("--raw", "control characters as they are, also on a terminal"),
};

constexpr Manual manual_of_cat = {
    .details =
        "Of a job, its latest attempt is meant. Of a run alone, the plan is printed as it was "
        "written. Digests are shown by pievt log. Into a pipe or a file every body goes byte "
        "for byte; on a terminal control characters are shown and not obeyed.",
    .options = options_of_cat,
    .examples = {{{"pievt cat last/intro", "what the job said at its end"},
                  {"pievt cat last/intro/1 --prompt", "what its first attempt was told"}}},
    .outputs = Outputs::text_only,
};

Error nothing_there(std::string_view what, std::string_view word) {
  return {Errc::not_found,
          fmt::format("{} has no {}; pievt show {} tells what it has", word, what, word)};
}

enum class Part : std::uint8_t { final_message, prompt };

const AttemptState* latest_attempt(const RunState& run, const JobState* job) {
  const auto& attempts = job == nullptr ? run.attempts : job->attempts;
  return attempts.empty() ? nullptr : attempts.back().get();
}

Result<schema::BlobRef> body_of(const RunState& run, const Reference& reference, Part part,
                                std::string_view word) {
  if (!reference.job) {
    if (part == Part::prompt) return nothing_there("prompt of its own: name a job", word);
    if (!run.plan) return nothing_there("plan", word);
    return *run.plan;
  }
  const JobState* job = find_job(run, *reference.job);
  if (job == nullptr && *reference.job != 0) {
    return Error{Errc::not_found, fmt::format("{} was not declared at that moment", word)};
  }
  const AttemptState* attempt = reference.attempt
                                    ? find_attempt(run, *reference.job, *reference.attempt)
                                    : latest_attempt(run, job);
  if (part == Part::prompt) {
    if (attempt != nullptr && attempt->prompt) return *attempt->prompt;
    // Before its first attempt a job has its own words already.
    if (!reference.attempt && job != nullptr && job->prompt) return *job->prompt;
    return nothing_there("prompt", word);
  }
  if (attempt == nullptr) return nothing_there("attempt at that moment", word);
  if (!attempt->final_message) return nothing_there("final message", word);
  return *attempt->final_message;
}

std::string lower_hex(std::string_view word) {
  std::string digits(word);
  for (char& c : digits) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return digits;
}

bool looks_like_digest(std::string_view word) {
  constexpr std::size_t digits_min = 4, digits_max = 2 * sizeof(schema::Digest);
  return word.size() >= digits_min && word.size() <= digits_max &&
         word.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

std::string digest_text(const schema::BlobRef& ref) {
  return pievt::hex(std::as_bytes(std::span(&ref.digest(), 1)));
}

// A body has no list of its own: whoever refers to it is asked, the latest first.
Result<schema::BlobRef> body_by_digest(const Log& log, std::string_view word) {
  const std::string wanted = lower_hex(word);
  const bool whole = wanted.size() == 2 * sizeof(schema::Digest);
  std::map<std::string, schema::BlobRef> found;
  auto reader = log.read({}, {}, Direction::backward);
  while (!(whole && !found.empty()) && reader.next()) {
    const auto blobs = blobs_of(reflect::Schema::embedded_events(), reader.event().body);
    if (!blobs.ok()) continue;  // of a later version; what this one knows of it was not told
    for (const FoundBlob& blob : *blobs) {
      std::string digest = digest_text(blob.ref);
      if (digest.starts_with(wanted)) found.emplace(std::move(digest), blob.ref);
    }
  }
  PIEVT_TRY(reader.status());
  if (found.empty()) {
    return Error{Errc::not_found,
                 fmt::format("no run is called {} and no body has a digest that begins so", word)};
  }
  if (found.size() > 1) {
    std::vector<std::string> digests;
    for (const auto& [digest, ref] : found) {
      if (digests.size() < 4) digests.push_back(digest.substr(0, 16));
    }
    return Error{Errc::invalid, fmt::format("{} bodies have a digest that begins with {}: {}; give "
                                            "more of it",
                                            found.size(), word, fmt::join(digests, ", "))};
  }
  const schema::BlobRef& ref = found.begin()->second;
  if (ref.kind() == schema::BlobKind::output_chunk) {
    return Error{Errc::invalid, fmt::format("{} is a piece of an attempt's output, which is packed "
                                            "with the pieces before it; see: pievt output",
                                            word)};
  }
  return ref;
}

struct FoundBody {
  std::string run;  ///< empty where it was named by its digest
  schema::BlobRef ref;
};

Result<FoundBody> find_body(const Context& context, const Log& log, std::string_view word,
                            Part part) {
  const Result<Reference> reference = resolve(context, log, word);
  if (!reference.ok()) {
    if (reference.error().code != Errc::not_found || !looks_like_digest(word))
      return reference.error();
    auto body = PIEVT_TRY(body_by_digest(log, word));
    return FoundBody{"", std::move(body)};
  }
  const Revision at = PIEVT_TRY(moment(context, log, reference->run));
  const RunState run = PIEVT_TRY(load_run(log, reference->run, at));
  auto body = PIEVT_TRY(body_of(run, *reference, part, word));
  return FoundBody{reference->run, std::move(body)};
}

}  // namespace

const Manual& cat_manual() {
  return manual_of_cat;
}

Result<Exit> cat(Context& context) {
  if (context.arguments.has("--final") && context.arguments.has("--prompt")) {
    return Error{Errc::invalid, "--final and --prompt contradict each other"};
  }
  const Part part = context.arguments.has("--prompt") ? Part::prompt : Part::final_message;
  const Log log = PIEVT_TRY(open_to_read(context));
  // All are found before the first is printed, so that a mistyped name leaves no half output.
  std::vector<FoundBody> bodies;
  for (const std::string& word : context.arguments.all("ref")) {
    bodies.push_back(PIEVT_TRY(find_body(context, log, word, part)));
  }
  say_scope(context, log, "", {});
  context.pager.begin();
  BodyWriter writer(context);
  for (const FoundBody& body : bodies) {
    const auto content = log.get_blob(body.ref);
    if (!content.ok()) return with_place_of_removed(context, log, body.run, content.error());
    writer.write(*content);
    writer.finish();
  }
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
