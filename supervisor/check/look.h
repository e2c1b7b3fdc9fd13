// Looking at one file for a contract: what is there, its size and digest, and what it says.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/event.h"

namespace pievt::acceptance {

using Deadline = std::chrono::steady_clock::time_point;
using Checks = std::vector<std::unique_ptr<schema::CheckT>>;

/// A text of that size or less is searched; of larger ones it is said that they were not.
constexpr std::uint64_t text_bytes_max = 16u << 20;

/// A row that is filled in further by whoever looks.
schema::CheckT& add_check(Checks& checks, std::string_view kind, std::string_view target);

/// At most 200 bytes of `text` around [begin, end), in one line.
std::string excerpt_of(std::string_view text, std::size_t begin, std::size_t end);

/// Sets status, failure, actual and excerpt of `seen` for one pattern; `expected` is the pattern.
void ask_pattern(schema::CheckT& seen, const std::string& pattern, std::string_view text,
                 Deadline deadline);
void ask_forbidden_pattern(schema::CheckT& seen, const std::string& pattern, std::string_view text,
                           Deadline deadline);

/// Adds the rows of one required path: the file itself, then a row for each pattern.
void look_at_path(const schema::RequiredPathT& required, const std::filesystem::path& cwd,
                  Deadline deadline, Checks& checks);

/// Adds the row of a path where nothing may be.
void look_at_forbidden(const std::string& path, const std::filesystem::path& cwd, Checks& checks);

}  // namespace pievt::acceptance
