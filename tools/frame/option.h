// Flags and arguments as data. One row says what a flag is called, what it takes and what it is
// for; the parser, the help pages, the man page and the shell completions are all made from the
// same rows, so they cannot disagree.
//
//   constexpr std::array options = {
//       argument("run", "which run; the last one when left out").completing(Complete::runs),
//       flag("--follow", "go on as events arrive").with_letter('f'),
//       value("--type", "TYPE", "only events of this type").repeatable(),
//       choice("--sort", "time|cost", "order of the rows"),
//       duration("--timeout", "give up after this long"),
//   };
#pragma once

#include <cstdint>
#include <string_view>

namespace pievt::tools {

enum class Kind : std::uint8_t {
  flag,      ///< given or not
  text,      ///< any text
  number,    ///< an unsigned 64-bit integer
  duration,  ///< `90s`, `1.5h`, `2h30m`; see moment.h
  choice,    ///< one of a closed list
};

/// What the shell offers for a value.
enum class Complete : std::uint8_t {
  nothing,
  runs,
  jobs,     ///< and runs
  kinds,    ///< of failures
  formats,  ///< of exports
  files,
  directories,
  verbs,
};

enum class Place : std::uint8_t { flag, argument };
enum class Need : std::uint8_t { optional, required };
enum class Times : std::uint8_t { once, many };
enum class Listed : std::uint8_t { yes, no };

struct Option {
  std::string_view name;  ///< "--type"; an argument's name has no dashes
  Kind kind = Kind::text;
  Place place = Place::flag;
  std::string_view placeholder =
      {};  ///< "TYPE"; for a choice its values, "text|json"; may be empty
  std::string_view help = {};
  char letter = '\0';
  Need need = Need::optional;
  Times times = Times::once;
  Complete complete = Complete::nothing;
  Listed listed = Listed::yes;

  /// May be given more than once; an argument takes all that follow. Must be the last argument.
  constexpr Option repeatable() const {
    Option copy = *this;
    copy.times = Times::many;
    return copy;
  }
  /// The verb cannot do without it.
  constexpr Option required() const {
    Option copy = *this;
    copy.need = Need::required;
    return copy;
  }
  constexpr Option with_letter(char short_name) const {
    Option copy = *this;
    copy.letter = short_name;
    return copy;
  }
  constexpr Option completing(Complete what) const {
    Option copy = *this;
    copy.complete = what;
    return copy;
  }
  /// How help shows an argument, when that is not its name: "PLAN.json".
  constexpr Option shown_as(std::string_view text) const {
    Option copy = *this;
    copy.placeholder = text;
    return copy;
  }
  /// Works, but no help page and no completion mentions it.
  constexpr Option unlisted() const {
    Option copy = *this;
    copy.listed = Listed::no;
    return copy;
  }
};

constexpr Option flag(std::string_view name, std::string_view help) {
  return {.name = name, .kind = Kind::flag, .help = help};
}
constexpr Option value(std::string_view name, std::string_view placeholder, std::string_view help) {
  return {.name = name, .placeholder = placeholder, .help = help};
}
constexpr Option number(std::string_view name, std::string_view placeholder,
                        std::string_view help) {
  return {.name = name, .kind = Kind::number, .placeholder = placeholder, .help = help};
}
constexpr Option duration(std::string_view name, std::string_view help) {
  return {.name = name, .kind = Kind::duration, .placeholder = "TIME", .help = help};
}
constexpr Option choice(std::string_view name, std::string_view values, std::string_view help) {
  return {.name = name, .kind = Kind::choice, .placeholder = values, .help = help};
}
constexpr Option argument(std::string_view name, std::string_view help) {
  return {.name = name, .place = Place::argument, .help = help};
}
/// An argument that must be one of `values`, "bash|zsh|fish".
constexpr Option argument_choice(std::string_view name, std::string_view values,
                                 std::string_view help) {
  return {.name = name,
          .kind = Kind::choice,
          .place = Place::argument,
          .placeholder = values,
          .help = help};
}

}  // namespace pievt::tools
