// Every bound of this folder, with its reason.
#pragma once

#include <cstddef>

namespace pievt::pi::limits {

// pi's longest useful lines are a few MiB (a prompt of 600 KB is echoed in three lines of 600 KB,
// a message with images more); anything longer is an accident and may not cost unbounded memory.
constexpr std::size_t line_size_max = std::size_t{16} << 20;

// Of a line that is not kept (an update, or one over the limit) only its two ends are. The kind of
// an update stands within the first 350 bytes in both dialects.
constexpr std::size_t line_head_size_max = 1024;
constexpr std::size_t line_tail_size_max = 64;

// Buffers that grew beyond this for one line are given back after it.
constexpr std::size_t retained_buffer_size_max = std::size_t{1} << 20;

// What is shown of a line that could not be understood; one line of a terminal or two.
constexpr std::size_t excerpt_size_max = 200;

// Places inside one line at which a glued event is looked for; each try reads the rest of the line.
constexpr int recovery_tries_max = 8;

// What the facts about a run remember of an error message: enough for its reason and its JSON code.
constexpr std::size_t remembered_error_size_max = 2048;

}  // namespace pievt::pi::limits
