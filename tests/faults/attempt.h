// One append as a test attempts it: enough to say it again word for word, and to know it when it is
// found in a log.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pievt/log.h"

namespace pievt::faults {

struct Attempt {
  AppendId id;
  std::vector<std::pair<std::string, std::vector<std::string>>> streams;  ///< name, texts
  Durability durability = Durability::fsync;
  std::string blob;  ///< its text, when the last event refers to one
  std::optional<Appended> answer;
};

/// Appends `attempt` to `log`, its blob first.
Result<Appended> perform(Log& log, const Attempt& attempt);

/// As perform(), at another level than the first time.
Result<Appended> perform(Log& log, const Attempt& attempt, Durability durability);

/// Known by its number alone, in this process and in any other: its id, its streams, its texts. One
/// event; every third time three of them in two streams; every fourth time with a blob.
Attempt numbered_attempt(int number);

/// A fast directory of its own; in memory where the machine has such a place.
std::filesystem::path make_scratch();

}  // namespace pievt::faults
