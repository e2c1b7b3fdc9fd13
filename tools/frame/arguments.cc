// Values are kept as typed; they are checked when they come in, so that reading them later cannot
// fail.
#include "tools/frame/arguments.h"

#include <charconv>

#include <fmt/format.h>

#include "tools/frame/moment.h"
#include "tools/frame/nearest.h"
#include "tools/frame/words.h"

namespace pievt::tools {
namespace {

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

Status check(const Option& option, std::string_view typed) {
  switch (option.kind) {
    case Kind::flag:
    case Kind::text:
      return {};
    case Kind::number:
      if (parse_number(typed)) return {};
      return Error{Errc::invalid,
                   fmt::format("{} takes a whole number, not \"{}\"", option.name, typed)};
    case Kind::duration:
      if (const auto parsed = parse_duration(typed); !parsed.ok()) {
        return Error{Errc::invalid, fmt::format("{}: {}", option.name, parsed.error().what)};
      }
      return {};
    case Kind::choice: {
      const std::vector<std::string_view> choices = split(option.placeholder, '|');
      for (const std::string_view one : choices) {
        if (one == typed) return {};
      }
      return Error{Errc::invalid,
                   fmt::format("{} is one of {}, not \"{}\"{}", option.name, join(choices, ", "),
                               typed, did_you_mean(typed, choices))};
    }
  }
  return {};
}

}  // namespace

Arguments::Arguments(std::span<const Option> options) {
  for (const Option& option : options) {
    const auto [place, fresh] = given_.emplace(option.name, Given{option, {}});
    PIEVT_ASSERT(fresh);
  }
}

const Arguments::Given& Arguments::find(std::string_view name) const {
  const auto found = given_.find(name);
  PIEVT_ASSERT(found != given_.end());
  return found->second;
}

Status Arguments::add(std::string_view name, std::string_view typed) {
  const auto found = given_.find(name);
  PIEVT_ASSERT(found != given_.end());
  Given& given = found->second;
  if (given.option.kind == Kind::flag) {
    // Saying a plain flag twice means the same; a shell alias and its user may both say it.
    given.values.assign(1, "true");
    return {};
  }
  if (given.option.times == Times::once && !given.values.empty()) {
    return Error{Errc::invalid, fmt::format("{} is given twice: \"{}\" and \"{}\"", name,
                                            given.values.front(), typed)};
  }
  PIEVT_TRY(check(given.option, typed));
  given.values.emplace_back(typed);
  return {};
}

std::optional<std::string> Arguments::text(std::string_view name) const {
  const std::vector<std::string>& values = all(name);
  if (values.empty()) return std::nullopt;
  return values.front();
}

std::string Arguments::text_or(std::string_view name, std::string_view otherwise) const {
  return text(name).value_or(std::string(otherwise));
}

const std::vector<std::string>& Arguments::all(std::string_view name) const {
  return find(name).values;
}

std::optional<std::uint64_t> Arguments::number(std::string_view name) const {
  const Given& given = find(name);
  PIEVT_ASSERT(given.option.kind == Kind::number);
  return given.values.empty() ? std::nullopt : parse_number(given.values.front());
}

std::optional<std::int64_t> Arguments::duration_ns(std::string_view name) const {
  const Given& given = find(name);
  PIEVT_ASSERT(given.option.kind == Kind::duration);
  if (given.values.empty()) return std::nullopt;
  return parse_duration(given.values.front()).value();
}

}  // namespace pievt::tools
