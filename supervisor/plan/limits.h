// Every bound of a plan, with its reason. Bad input must cost a sentence, not memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pievt::plan::limits {

/// A plan file, and a CSV or JSON lines file it takes its matrix from.
constexpr std::size_t file_bytes_max = std::size_t{64} << 20;

/// Jobs after expansion, so that every view of a run stays a list that fits a screen tool.
constexpr std::size_t jobs_max = 10'000;

/// JSON values in one file: 400 for each of 10,000 jobs. Each costs 32 bytes in memory.
constexpr std::size_t values_max = 4'000'000;

/// Lists and objects inside each other. The deepest key of a plan is at depth 6.
constexpr std::size_t depth_max = 64;

/// One text after expansion. Larger than any model's window, small enough to hold many.
constexpr std::size_t text_bytes_max = std::size_t{4} << 20;

/// All expanded texts and all distinct context files together: 10,000 jobs of 26 KiB.
constexpr std::size_t expanded_bytes_max = std::size_t{256} << 20;

/// One prompt file, before expansion.
constexpr std::size_t prompt_file_bytes_max = std::size_t{1} << 20;

/// One context file, and all context files of one job.
constexpr std::size_t context_file_bytes_max = std::size_t{256} << 10;
constexpr std::size_t context_bytes_max = std::size_t{1} << 20;
constexpr std::size_t context_files_max = 256;

/// Dependencies in the whole plan: a full join of two stages of 1,000 jobs.
constexpr std::size_t dependencies_max = 1'000'000;

/// Job ids are file names in exports; file systems allow 255 bytes, and we add a suffix to them.
constexpr std::size_t id_bytes_max = 100;

/// Tools of one job; pi has seven of its own.
constexpr std::size_t tools_max = 256;

/// `NAME=value` of one environment variable: Linux refuses longer ones (MAX_ARG_STRLEN).
constexpr std::size_t env_bytes_max = 131'071;

/// All texts of one job's acceptance contract, which stands in one event of at most 64 KiB.
constexpr std::size_t contract_bytes_max = std::size_t{48} << 10;

/// Commands of one contract: each costs a process, and they run one after the other.
constexpr std::size_t commands_max = 32;
constexpr std::uint64_t command_timeout_ms_default = 600'000;

/// Columns of a CSV file.
constexpr std::size_t csv_columns_max = 1'000;

/// Fields in one CSV file: 10,000 rows of 100. Each becomes a variable of its row.
constexpr std::size_t csv_fields_max = 1'000'000;

/// Problems that are printed. More are counted.
constexpr std::size_t problems_max = 20;

/// What `timeout` and `timeoutMs` may say: 30 days. Longer is a mistake of units.
constexpr std::uint64_t timeout_ms_max = std::uint64_t{30} * 24 * 3600 * 1000;
constexpr std::uint64_t timeout_ms_default = 600'000;

constexpr std::uint32_t concurrency_default = 4;
constexpr std::uint32_t attempts_max = 100;
constexpr std::uint32_t waves_max = 10'000;
constexpr std::uint64_t backoff_ms_max = std::uint64_t{24} * 3600 * 1000;

}  // namespace pievt::plan::limits
