#include "tools/verbs/diff_output.h"

#include <cstring>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "store/format/hash.h"
#include "tools/render/sanitise.h"
#include "tools/verbs/sequence_diff.h"

namespace pievt::tools {
namespace {

using render::Style;
using Blob = std::optional<schema::BlobRef>;

// A body as text; nothing where there is none, or where it can no longer be read.
std::string body_text(const DiffBodies& bodies, const Blob& blob) {
  if (!blob || bodies.log == nullptr) return {};
  const auto bytes = bodies.log->get_blob(*blob);
  if (!bytes.ok()) return fmt::format("({})", bytes.error().what);
  return std::string(text_of(*bytes));
}

// Words that differ anyhow, on both sides.
struct Left {
  const VolatileWords& a;
  const VolatileWords& b;
};

std::vector<std::string> lines_between(const DiffBodies& bodies, const Blob& a, const Blob& b,
                                       const Left& left) {
  if (bodies.log == nullptr || (!a && !b)) return {};
  if (a && b && std::memcmp(&a->digest(), &b->digest(), sizeof(schema::Digest)) == 0) return {};
  return text_difference(left.a.replaced_in(body_text(bodies, a)),
                         left.b.replaced_in(body_text(bodies, b)));
}

const VolatileWords& no_words() {
  static const VolatileWords none;
  return none;
}

bool has_lines(const FieldChange& change) {
  return change.before.find('\n') != std::string::npos ||
         change.after.find('\n') != std::string::npos;
}

std::string event_name(std::uint64_t revision) {
  return revision == 0 ? std::string() : fmt::format("#{}", revision);
}

class DifferenceText {
 public:
  DifferenceText(Context& context, const RunDifference& difference, const DiffBodies& bodies)
      : context_(context), difference_(difference), bodies_(bodies) {}

  void write(DiffForm form) {
    out(Style::bad, "--- " + render::one_line(difference_.label_a));
    out(Style::good, "+++ " + render::one_line(difference_.label_b));
    if (difference_.empty()) {
      out(Style::plain, "no difference");
      return;
    }
    first();
    if (form == DiffForm::stat) return stat();
    fields("", difference_.fields, bodies_.log == nullptr ? "plan" : "run");
    for (const JobDifference& job : difference_.jobs) {
      if (context_.out.done()) return;
      this->job(job);
    }
    if (difference_.same_jobs > 0)
      out(Style::dim,
          fmt::format("{} the same", render::plural(difference_.same_jobs, "job is", "jobs are")));
  }

 private:
  void out(Style style, const std::string& line) {
    context_.out.line(render::styled(context_.terminal, style, line));
  }

  // One line of what only one side has; what is no event has no number.
  void side(Style style, std::string_view mark, std::uint64_t revision, const std::string& what) {
    if (what.empty()) return;
    const std::string name = event_name(revision);
    out(style,
        fmt::format("{} {}{}{}", mark, name, name.empty() ? "" : " ", render::one_line(what)));
  }

  void first() {
    if (!difference_.first) return;
    const FirstDifference& first = *difference_.first;
    out(Style::bold, "first difference: " + render::one_line(first.where));
    side(Style::bad, "  -", first.revision_a, first.a);
    side(Style::good, "  +", first.revision_b, first.b);
  }

  void stat() {
    for (const JobDifference& job : difference_.jobs) {
      std::size_t steps = 0;
      for (const AttemptDifference& attempt : job.attempts) steps += attempt.steps.size();
      if (job.id_a.empty() || job.id_b.empty()) {
        out(Style::plain, fmt::format("  {} {}", job.id_a.empty() ? "+" : "-",
                                      render::one_line(job.id_a + job.id_b)));
        continue;
      }
      out(Style::plain,
          fmt::format("  ~ {}  {}, {}{}{}", render::one_line(job.id_a),
                      render::plural(job.fields.size(), "field"), render::plural(steps, "step"),
                      job.prompt_a || job.prompt_b ? ", prompt" : "",
                      job.ending_a == job.ending_b
                          ? ""
                          : fmt::format("  {} -> {}", job.ending_a, job.ending_b)));
    }
    out(Style::dim,
        fmt::format("{} of the run, {}, {} the same",
                    render::plural(difference_.fields.size(), "field"),
                    render::plural(difference_.jobs.size(), "job"), difference_.same_jobs));
  }

  void fields(const std::string& indent, const std::vector<FieldChange>& changes,
              const char* title) {
    if (changes.empty()) return;
    if (title != nullptr) out(Style::bold, title);
    for (const FieldChange& change : changes) {
      if (has_lines(change)) {
        texts(indent + "  ", change.path, text_difference(change.before, change.after));
        continue;
      }
      if (!change.before.empty())
        out(Style::bad,
            fmt::format("{}  - {} = {}", indent, change.path, render::one_line(change.before)));
      if (!change.after.empty())
        out(Style::good,
            fmt::format("{}  + {} = {}", indent, change.path, render::one_line(change.after)));
    }
  }

  void lines(const std::string& indent, std::string_view title, const Blob& a, const Blob& b,
             const Left& left) {
    texts(indent, title, lines_between(bodies_, a, b, left));
  }

  void texts(const std::string& indent, std::string_view title,
             const std::vector<std::string>& difference) {
    if (difference.empty()) return;
    if (!title.empty()) out(Style::plain, indent + std::string(title));
    std::size_t shown = 0;
    for (const std::string& line : difference) {
      if (shown++ == bodies_.lines_max) {
        out(Style::dim, fmt::format("{}  ... {} more (--full shows all)", indent,
                                    render::plural(difference.size() - shown + 1, "line")));
        return;
      }
      const Style style = line.starts_with('-')   ? Style::bad
                          : line.starts_with('+') ? Style::good
                          : line.starts_with('@') ? Style::dim
                                                  : Style::plain;
      out(style, indent + "  " + render::one_line(line));
    }
  }

  void job(const JobDifference& job) {
    if (job.id_a.empty() || job.id_b.empty()) {
      const bool removed = job.id_b.empty();
      out(removed ? Style::bad : Style::good,
          fmt::format("{} {}  only in {}{}", removed ? "-" : "+",
                      render::one_line(job.id_a + job.id_b),
                      render::one_line(removed ? difference_.label_a : difference_.label_b),
                      (job.ending_a + job.ending_b).empty()
                          ? ""
                          : fmt::format("  {}", job.ending_a + job.ending_b)));
      return;
    }
    std::string title = "~ " + render::one_line(job.id_a);
    if (job.id_a != job.id_b) title += fmt::format(", there called {}", render::one_line(job.id_b));
    if (job.ending_a != job.ending_b)
      title += fmt::format("  {} -> {}", job.ending_a, job.ending_b);
    out(Style::bold, title);
    lines("  ", "prompt", job.prompt_a, job.prompt_b, {job.words_a, job.words_b});
    fields("", job.fields, nullptr);
    for (const AttemptDifference& attempt : job.attempts) this->attempt(attempt);
  }

  void attempt(const AttemptDifference& attempt) {
    std::string title = fmt::format("  attempt {}", attempt.number);
    if (!attempt.in_a || !attempt.in_b)
      title += fmt::format(", only in {}", render::one_line(attempt.in_a ? difference_.label_a
                                                                         : difference_.label_b));
    else
      title += fmt::format(": {} the same, {} before the first difference",
                           render::plural(attempt.same_steps, "step"), attempt.same_before);
    out(Style::plain, title);
    fields("  ", attempt.fields, nullptr);
    lines("    ", "what it was given", attempt.prompt_a, attempt.prompt_b,
          {attempt.words_a, attempt.words_b});
    for (const StepChange& step : attempt.steps) {
      if (context_.out.done()) return;
      if (step.kind != StepChange::Kind::changed || step.a != step.b) {
        side(Style::bad, "    -", step.revision_a, step.a);
        side(Style::good, "    +", step.revision_b, step.b);
      } else {
        out(Style::plain, fmt::format("    ~ {} {} {}", event_name(step.revision_a),
                                      event_name(step.revision_b), step.a));
      }
      if (step.kind == StepChange::Kind::changed)
        lines("      ", "", step.body_a, step.body_b, {no_words(), no_words()});
    }
  }

  Context& context_;
  const RunDifference& difference_;
  const DiffBodies& bodies_;
};

void write_fields(render::JsonWriter& json, const std::vector<FieldChange>& changes) {
  json.key("fields").begin_array();
  for (const FieldChange& change : changes) {
    json.begin_object().member("path", change.path).member("a", change.before);
    json.member("b", change.after).end_object();
  }
  json.end_array();
}

void write_lines(render::JsonWriter& json, const char* name, const DiffBodies& bodies,
                 const Blob& a, const Blob& b, const Left& left) {
  json.key(name).begin_array();
  for (const std::string& line : lines_between(bodies, a, b, left)) json.value(line);
  json.end_array();
}

void write_revision(render::JsonWriter& json, const char* name, std::uint64_t revision) {
  json.key(name);
  revision == 0 ? json.null() : json.value(revision);
}

void write_attempt(render::JsonWriter& json, const AttemptDifference& attempt,
                   const DiffBodies& bodies) {
  constexpr const char* kinds[] = {"removed", "added", "changed"};
  json.begin_object().member("attempt", attempt.number);
  json.member("in_a", attempt.in_a).member("in_b", attempt.in_b);
  json.member("same_steps", attempt.same_steps).member("same_before", attempt.same_before);
  write_fields(json, attempt.fields);
  write_lines(json, "prompt", bodies, attempt.prompt_a, attempt.prompt_b,
              {attempt.words_a, attempt.words_b});
  json.key("steps").begin_array();
  for (const StepChange& step : attempt.steps) {
    json.begin_object().member("change", kinds[static_cast<std::size_t>(step.kind)]);
    json.member("a", step.a).member("b", step.b);
    write_revision(json, "revision_a", step.revision_a);
    write_revision(json, "revision_b", step.revision_b);
    if (step.kind == StepChange::Kind::changed)
      write_lines(json, "result", bodies, step.body_a, step.body_b, {no_words(), no_words()});
    json.end_object();
  }
  json.end_array().end_object();
}

}  // namespace

void write_difference(Context& context, const RunDifference& difference, const DiffBodies& bodies,
                      DiffForm form) {
  DifferenceText(context, difference, bodies).write(form);
}

void write_difference_document(const Context& context, const RunDifference& difference,
                               const DiffBodies& bodies) {
  auto json = context.json();
  json.begin_document("pievt.diff", 1);
  json.member("a", difference.label_a).member("b", difference.label_b);
  json.member("equal", difference.empty()).key("first");
  if (difference.first) {
    json.begin_object().member("where", difference.first->where);
    json.member("a", difference.first->a).member("b", difference.first->b);
    write_revision(json, "revision_a", difference.first->revision_a);
    write_revision(json, "revision_b", difference.first->revision_b);
    json.end_object();
  } else {
    json.null();
  }
  write_fields(json, difference.fields);
  json.member("same_jobs", difference.same_jobs).key("jobs").begin_array();
  for (const JobDifference& job : difference.jobs) {
    json.begin_object().key("a");
    job.id_a.empty() ? json.null() : json.value(job.id_a);
    json.key("b");
    job.id_b.empty() ? json.null() : json.value(job.id_b);
    json.member("ending_a", job.ending_a).member("ending_b", job.ending_b);
    write_revision(json, "revision_a", job.revision_a);
    write_revision(json, "revision_b", job.revision_b);
    write_fields(json, job.fields);
    write_lines(json, "prompt", bodies, job.prompt_a, job.prompt_b, {job.words_a, job.words_b});
    json.key("attempts").begin_array();
    for (const AttemptDifference& attempt : job.attempts) write_attempt(json, attempt, bodies);
    json.end_array().end_object();
  }
  json.end_array().end_object().end_document();
}

}  // namespace pievt::tools
