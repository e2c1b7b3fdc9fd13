// The keys of a plan are rows of tables: name, where it is allowed, what it holds, what it means,
// and the function that reads it. Reading an object, naming what was meant by a misspelt key,
// saying that a key belongs elsewhere, and the table in docs/plan.md all come from the same rows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/plan/document.h"
#include "supervisor/plan/json_tree.h"

namespace pievt::plan {

/// Objects that keys stand in. Values are bits, so that one row can serve several.
enum class Where : std::uint16_t {
  plan = 1,
  job = 2,
  row = 4,
  defaults = 8,
  acceptance = 16,
  path_check = 32,
  retry = 64,
  backoff = 128,
  depends_on = 256,
  env_value = 512,
  throttle = 1024,
  synthesis = 2048,
  matrix = 4096,
  budget = 8192,
  silence = 16384,
  command = 32768
};
constexpr std::uint16_t operator|(Where a, Where b) {
  return static_cast<std::uint16_t>(static_cast<std::uint16_t>(a) | static_cast<std::uint16_t>(b));
}

/// "a job", "the plan": for messages.
std::string_view name_of(Where where);

enum class Support : std::uint8_t {
  now,
  later  ///< known, refused until what it does is built
};

/// One member of an object that is being read.
struct Field {
  Problems& problems;
  JsonView value;
  const std::string& label;  ///< of the object: `job "intro"`

  std::string_view key() const { return value.key(); }
  /// Notes that the value breaks the rule: `"key" in <label> must be <rule>`.
  void must_be(std::string_view rule) const;
  /// Notes something else about it: `"key" in <label> <sentence>`.
  void wrong(std::string_view sentence) const;
  /// Notes that another key of the same object says the same thing.
  void both(std::string_view other) const;

  bool is(JsonKind kind, std::string_view rule) const;  ///< or else must_be(rule)
  std::optional<Text> text() const;
  std::optional<Text> text_not_blank() const;
  /// Each entry must be text; `rule` describes the list.
  std::optional<std::vector<Text>> texts(std::string_view rule) const;
  std::optional<std::int64_t> whole_number(std::int64_t min, std::int64_t max) const;
  std::optional<double> number(double min, double max) const;
  std::optional<bool> boolean() const;
};

/// Where a row allows its key.
struct KeyName {
  std::string_view name;
  std::uint16_t where;
  Support support;
  std::string_view holds;    ///< e.g. "text", "list of text": for docs/plan.md
  std::string_view meaning;  ///< one sentence without a full stop: for docs/plan.md
};

template <class Target>
struct Key : KeyName {
  void (*read)(const Field&, Target&) = nullptr;
};

/// Notes that `member` is not a key of `where`.
void unknown_key(Problems& problems, JsonView member, const std::string& label, Where where);
/// Notes that `member` is known but not built yet.
void later_key(Problems& problems, JsonView member, const std::string& label);

/// Reads every member of `object`, which must be an object, by its row.
template <class Target>
void read_object(Problems& problems, JsonView object, std::span<const Key<Target>> keys,
                 Where where, const std::string& label, Target& target) {
  for (const JsonView member : object) {
    const Key<Target>* found = nullptr;
    for (const Key<Target>& key : keys)
      if (key.name == member.key() && (key.where & static_cast<std::uint16_t>(where)) != 0)
        found = &key;
    if (found == nullptr) {
      unknown_key(problems, member, label, where);
    } else if (found->support == Support::later) {
      later_key(problems, member, label);
    } else {
      found->read(Field{problems, member, label}, target);
    }
  }
}

/// `{"text": ...}` as Text.
Text text_of(JsonView value);

// The tables, each in the file that reads it.
std::span<const Key<Document>> plan_keys();                 // parse_plan.cc
std::span<const Key<Document>> matrix_keys();               // parse_plan.cc
std::span<const Key<Throttle>> throttle_keys();             // parse_plan.cc
std::span<const Key<Synthesis>> synthesis_keys();           // parse_plan.cc
std::span<const Key<Written>> written_keys();               // parse_job.cc
std::span<const Key<WrittenEnvValue>> env_keys();           // parse_job.cc
std::span<const Key<WrittenRetry>> retry_keys();            // parse_policy.cc
std::span<const Key<WrittenRetry>> backoff_keys();          // parse_policy.cc
std::span<const Key<WrittenAcceptance>> acceptance_keys();  // parse_acceptance.cc
std::span<const Key<WrittenPath>> path_check_keys();        // parse_acceptance.cc
std::span<const Key<WrittenCommand>> command_keys();        // parse_command.cc
std::span<const Key<WrittenDependency>> depends_on_keys();  // parse_policy.cc
std::span<const Key<WrittenBudget>> budget_keys();          // parse_limits.cc
std::span<const Key<WrittenSilence>> silence_keys();        // parse_limits.cc

/// All rows of all tables, in the order in which docs/plan.md shows them.
std::vector<KeyName> all_keys();

/// The tables of docs/plan.md, as Markdown: one for each kind of object.
std::string keys_as_markdown();

}  // namespace pievt::plan
