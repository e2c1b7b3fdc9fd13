// See template.h.
#include "supervisor/plan/template.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "supervisor/plan/json_tree.h"
#include "supervisor/plan/limits.h"
#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

constexpr std::size_t known_shown_max = 10;

bool is_key_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::size_t skip_spaces(std::string_view text, std::size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

/// A placeholder found in a text.
struct Mark {
  enum class Kind { var, final, wrong } kind = Kind::var;
  std::size_t begin = 0;      ///< of the first brace
  std::size_t end = 0;        ///< after the last brace
  std::size_t key_begin = 0;  ///< of the key, or of the job's id
  std::size_t key_end = 0;
};

/// `{{key}}` at `at`, where "{{" stands.
std::optional<Mark> var_at(std::string_view text, std::size_t at) {
  const std::size_t begin = skip_spaces(text, at + 2);
  std::size_t end = begin;
  while (end < text.size() && is_key_character(text[end])) ++end;
  const std::size_t close = skip_spaces(text, end);
  if (end == begin || text.substr(close, 2) != "}}") return std::nullopt;
  return Mark{Mark::Kind::var, at, close + 2, begin, end};
}

/// `{{jobs.…}}` at `at`. Something of that look which is not a final message is wrong rather than
/// plain text: nobody writes it without meaning it.
std::optional<Mark> final_at(std::string_view text, std::size_t at) {
  constexpr std::string_view prefix = "jobs.";
  constexpr std::string_view suffix = ".final";
  const std::size_t name = skip_spaces(text, at + 2);
  if (text.substr(name, prefix.size()) != prefix) return std::nullopt;
  const std::size_t begin = name + prefix.size();
  std::size_t end = begin;
  while (end < text.size()) {
    if (text.substr(end, 2) == "{{") {
      const auto inner = var_at(text, end);
      if (!inner) break;
      end = inner->end;
    } else if (is_key_character(text[end]) || text[end] == '.' || text[end] == '-') {
      ++end;
    } else {
      break;
    }
  }
  const std::size_t close = skip_spaces(text, end);
  if (text.substr(close, 2) != "}}") return std::nullopt;
  const bool final =
      end > begin + suffix.size() && text.substr(begin, end - begin).ends_with(suffix);
  return Mark{final ? Mark::Kind::final : Mark::Kind::wrong, at, close + 2, begin,
              final ? end - suffix.size() : end};
}

/// The first placeholder at or after `from`.
std::optional<Mark> next_mark(std::string_view text, std::size_t from) {
  for (std::size_t at = text.find("{{", from); at != std::string_view::npos;
       at = text.find("{{", at + 1)) {
    if (const auto mark = var_at(text, at)) return mark;
    if (const auto mark = final_at(text, at)) return mark;
  }
  return std::nullopt;
}

}  // namespace

Place Text::at(std::size_t index) const {
  if (spelling == Spelling::json) return place_in_string(place, index);
  return {place.source, place.offset + index};
}

const Var* Scope::find(std::string_view key) const {
  for (const Vars* layer : {&own, &about, &shared})
    if (const auto var = layer->find(key); var != layer->end()) return &var->second;
  return nullptr;
}

std::vector<std::string_view> Scope::names() const {
  std::vector<std::string_view> names;
  for (const Vars* layer : {&own, &about, &shared})
    for (const auto& [name, var] : *layer)
      if (std::ranges::all_of(name, is_key_character)) names.push_back(name);
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

const Var* Expander::find(const Text& text, std::size_t at, std::string_view key,
                          std::string_view field) const {
  if (const Var* var = scope_.find(key)) return var;
  if (!problems_.wants_more()) {  // finding the exact place is work, too
    problems_.add(text.place, "unknown placeholder");
    return nullptr;
  }
  const std::vector<std::string_view> known = scope_.names();
  std::string hint = "; known are ";
  if (const std::string_view near = nearest(key, known); !near.empty()) {
    hint = fmt::format("; did you mean {{{{{}}}}}?", near);
  } else {
    for (std::size_t i = 0; i < known.size() && i < known_shown_max; ++i)
      hint += fmt::format("{}{{{{{}}}}}", i == 0 ? "" : ", ", known[i]);
    if (known.size() > known_shown_max) hint += ", …";
  }
  problems_.add(text.at(at), fmt::format("unknown placeholder {{{{{}}}}} in {} of {}{}", key, field,
                                         owner_, hint));
  return nullptr;
}

/// One text being expanded.
class Expander::Run {
 public:
  Run(const Expander& expander, const Text& text, std::string_view field, Finals finals)
      : expander_(expander), text_(text), value_(text.value), field_(field), finals_(finals) {}

  std::optional<Expanded> all() {
    std::size_t done = 0;
    for (auto mark = next_mark(value_, 0); mark; mark = next_mark(value_, done)) {
      add_text(value_.substr(done, mark->begin - done));
      done = mark->end;
      if (mark->kind == Mark::Kind::var)
        add_var(*mark);
      else if (mark->kind == Mark::Kind::final)
        add_final(*mark);
      else
        refuse(*mark, "of another job there is only {{jobs.<id>.final}}, its final message");
      if (bytes_ > limits::text_bytes_max) break;
    }
    add_text(value_.substr(done));
    if (bytes_ > limits::text_bytes_max) {
      failed_ = true;
      expander_.problems_.add(
          text_.place, fmt::format("{} of {} is longer than {} bytes after expansion", field_,
                                   expander_.owner_, limits::text_bytes_max));
    }
    if (failed_) return std::nullopt;
    return std::move(pieces_);
  }

 private:
  void add_text(std::string_view text) {
    bytes_ += text.size();
    if (text.empty() || bytes_ > limits::text_bytes_max) return;
    if (pieces_.empty() || !std::holds_alternative<std::string>(pieces_.back()))
      pieces_.emplace_back(std::string());
    std::get<std::string>(pieces_.back()) += text;
  }

  const Var* find(const Mark& mark) {
    const Var* var = expander_.find(
        text_, mark.begin, value_.substr(mark.key_begin, mark.key_end - mark.key_begin), field_);
    failed_ = failed_ || var == nullptr;
    return var;
  }

  void add_var(const Mark& mark) {
    const Var* var = find(mark);
    if (var == nullptr) return;
    for (std::size_t i = 0; i < var->values.size() && bytes_ <= limits::text_bytes_max; ++i) {
      if (i > 0) add_text("\n");
      add_text(var->values[i]);
    }
  }

  void add_final(const Mark& mark) {
    if (finals_ == Finals::refused)
      return refuse(mark, "a final message can only stand in a prompt");
    std::string id;
    for (std::size_t at = mark.key_begin; at < mark.key_end;) {
      if (value_[at] != '{') {
        id += value_[at++];
        continue;
      }
      const auto inner = var_at(value_, at);
      PIEVT_ASSERT(inner.has_value());  // final_at has seen it
      at = inner->end;
      const Var* var = find(*inner);
      if (var == nullptr) continue;
      for (const std::string& part : var->values)
        if (id.size() <= limits::id_bytes_max) id += part;
    }
    pieces_.emplace_back(FinalHere{std::move(id), mark.begin});
  }

  void refuse(const Mark& mark, std::string_view why) {
    failed_ = true;
    Problems& problems = expander_.problems_;
    if (!problems.wants_more()) return problems.add(text_.place, "placeholder");
    problems.add(
        text_.at(mark.begin),
        fmt::format("{} in {} of {}: {}", shown(value_.substr(mark.begin, mark.end - mark.begin)),
                    field_, expander_.owner_, why));
  }

  const Expander& expander_;
  const Text& text_;
  std::string_view value_;
  std::string_view field_;
  Finals finals_;
  Expanded pieces_;
  std::size_t bytes_ = 0;
  bool failed_ = false;
};

std::optional<Expanded> Expander::expand(const Text& text, std::string_view field,
                                         Finals finals) const {
  return Run(*this, text, field, finals).all();
}

std::optional<std::string> Expander::expand_text(const Text& text, std::string_view field) const {
  auto pieces = expand(text, field, Finals::refused);
  if (!pieces) return std::nullopt;
  if (pieces->empty()) return std::string();
  return std::get<std::string>(std::move(pieces->front()));  // without final messages it is one
}

std::optional<std::vector<std::string>> Expander::expand_one(const Text& text,
                                                             std::string_view field) const {
  auto one = expand_text(text, field);
  if (!one) return std::nullopt;
  return std::vector<std::string>{std::move(*one)};
}

std::optional<std::vector<std::string>> Expander::expand_entry(const Text& text,
                                                               std::string_view field) const {
  const std::string_view value = text.value;
  const std::size_t begin = skip_spaces(value, 0);
  if (value.substr(begin, 2) == "{{") {
    const auto mark = var_at(value, begin);
    if (mark && skip_spaces(value, mark->end) == value.size()) {
      const Var* var = scope_.find(value.substr(mark->key_begin, mark->key_end - mark->key_begin));
      if (var != nullptr && var->shape == Var::Shape::list) return var->values;
    }
  }
  return expand_one(text, field);
}

}  // namespace pievt::plan
