// Texts with {{placeholders}}, as in jobs_plan: a value is put in as it stands and never read
// again, a list is joined by line breaks, other uses of braces stay what they are.
//
//   {{key}}                  a variable; key is letters, digits and _, spaces around it do not
//   count
//   {{jobs.<id>.final}}      the final message of another job; <id> may hold {{key}} itself
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "supervisor/plan/source.h"

namespace pievt::plan {

/// A text of the plan or of a file beside it, and where it stands, so that a message about a
/// placeholder can point at the placeholder.
struct Text {
  enum class Spelling { json, plain };

  std::string value;
  Place place;  ///< of the first character; for JSON, of the quote
  Spelling spelling = Spelling::json;

  /// Whether there is one: a key that held something else has left it without a place.
  bool was_read() const { return place.source != nullptr; }
  /// Where byte `index` of the value stands in the file.
  Place at(std::size_t index) const;
};

/// The value of a variable. A list of one is not the same as a text: it splats.
struct Var {
  std::vector<std::string> values;
  enum class Shape { text, list } shape = Shape::text;
};
using Vars = std::map<std::string, Var, std::less<>>;

/// What a job's placeholders can name: its own variables, then what it says about itself, then the
/// variables of all jobs. Layers rather than one map, because the last is shared by 10,000 jobs.
struct Scope {
  const Vars& own;
  const Vars& about;
  const Vars& shared;

  const Var* find(std::string_view key) const;
  /// All names that a placeholder can spell, sorted, each once.
  std::vector<std::string_view> names() const;
};

/// Whether {{jobs.<id>.final}} may stand in a text.
enum class Finals { allowed, refused };

/// An expanded text: pieces of text, and places for final messages.
struct FinalHere {
  std::string job;        ///< any text; whether there is such a job is not known here
  std::size_t index = 0;  ///< of the placeholder in the text that was expanded
};
using Expanded = std::vector<std::variant<std::string, FinalHere>>;

/// Expands texts for one job. What cannot be expanded goes to Problems with the place of the
/// placeholder, and nothing is returned.
class Expander {
 public:
  /// `owner`: how messages name the job, e.g. `job "intro"`. The arguments must outlive it.
  Expander(const Scope& scope, const std::string& owner, Problems& problems)
      : scope_(scope), owner_(owner), problems_(problems) {}

  /// `field`: how messages name what the text is for, e.g. `"prompt"`.
  std::optional<Expanded> expand(const Text& text, std::string_view field, Finals finals) const;
  /// The same for a text that no final message may stand in.
  std::optional<std::string> expand_text(const Text& text, std::string_view field) const;
  /// The same as a list of one.
  std::optional<std::vector<std::string>> expand_one(const Text& text,
                                                     std::string_view field) const;
  /// The same for an entry of a list: one that is nothing but a placeholder whose value is a list
  /// becomes all of its entries, perhaps none.
  std::optional<std::vector<std::string>> expand_entry(const Text& text,
                                                       std::string_view field) const;

 private:
  class Run;
  const Var* find(const Text& text, std::size_t at, std::string_view key,
                  std::string_view field) const;

  const Scope& scope_;
  const std::string& owner_;
  Problems& problems_;
};

}  // namespace pievt::plan
