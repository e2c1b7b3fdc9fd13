// What was typed, checked against the rows that were declared. Asking for a name that no row
// declares, or for another kind than its row says, is a bug and ends the program; a user cannot
// cause it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/result.h"
#include "tools/frame/option.h"

namespace pievt::tools {

class Arguments {
 public:
  /// Nothing given yet for any of the rows.
  Arguments() = default;
  explicit Arguments(std::span<const Option> options);

  /// Adds what was typed for `name`, after checking it. The error's sentence names the flag and the
  /// value.
  Status add(std::string_view name, std::string_view typed);

  /// Whether a flag was set, or a flag with a value or an argument was given.
  bool has(std::string_view name) const { return !all(name).empty(); }

  /// The value that was given; nothing when none was. For a name that may be given often, the
  /// first.
  std::optional<std::string> text(std::string_view name) const;
  std::string text_or(std::string_view name, std::string_view otherwise) const;

  /// Every value, in the order typed.
  const std::vector<std::string>& all(std::string_view name) const;

  /// For rows of `number(...)` and `duration(...)`.
  std::optional<std::uint64_t> number(std::string_view name) const;
  std::optional<std::int64_t> duration_ns(std::string_view name) const;

 private:
  struct Given {
    Option option;
    std::vector<std::string> values;
  };
  const Given& find(std::string_view name) const;

  std::map<std::string, Given, std::less<>> given_;
};

}  // namespace pievt::tools
