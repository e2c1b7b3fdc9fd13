// Finds what looks like a secret in a text: by the formats of well-known keys, by a name such as
// `password` in front of a value, and by the very values of the supervisor's own key variables.
//
// A false alarm costs people more than it seems (they stop reading), so formats ask for the whole
// form, values behind names must look made rather than written, and what is plainly a placeholder
// or an expression of a program is left alone.
//
// One pass: a table of 65,536 bits says which pairs of bytes something can begin with, and nothing
// else is looked at. Pure; any number of threads may use one finder.
#pragma once

#include <bitset>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pievt::secrets {

struct Found {
  std::string rule;  ///< e.g. `anthropic-key`, `password`, `value of GITHUB_TOKEN`
  std::size_t offset = 0;
  std::size_t size = 0;
  std::string prefix;  ///< what every key of that format begins with; empty for other rules

  friend bool operator==(const Found&, const Found&) = default;
};

/// A secret that is known because it is in the supervisor's own environment.
struct KnownSecret {
  std::string name;
  std::string value;
};

/// Whether a variable of this name and value is a secret: a key, token or password by its name, and
/// long enough to be found by chance nowhere. Regions, paths and addresses are none.
bool is_secret_variable(std::string_view name, std::string_view value);

class Finder {
 public:
  Finder() : Finder(std::vector<KnownSecret>{}) {}
  /// Values that are too short to be recognised are left out.
  explicit Finder(std::vector<KnownSecret> known);

  /// Ascending by offset, none overlapping another. Texts may be JSON, whose escapes are
  /// understood as far as they touch a secret's ends.
  std::vector<Found> find(std::string_view text) const;

 private:
  struct Match;
  Match match_at(std::string_view text, std::size_t at) const;

  std::vector<KnownSecret> known_;  ///< longest first
  std::unique_ptr<std::bitset<65536>> begins_;
};

/// The text with `[masked <rule>]` for each of what was found in it. What was JSON still is.
std::string masked(std::string_view text, const std::vector<Found>& found);

}  // namespace pievt::secrets
