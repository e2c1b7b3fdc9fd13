// Every bound of the store in one place, each with its reason. There is no bound on the length of a
// run or a log.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pievt::limits {

/// One event's body. Larger things are blobs, so that lists and folds stay fast.
inline constexpr std::size_t event_bytes_max = 64u << 10;

/// A page is one value in RocksDB: it passes the write-ahead log and memory whole.
inline constexpr std::size_t page_bytes_max = 256u << 10;

/// One append is held in memory twice while it is written.
inline constexpr std::size_t append_bytes_max = 32u << 20;
inline constexpr std::size_t append_events_max = 100'000;

/// Every stream of an append is repeated in each of its pages.
inline constexpr std::size_t append_streams_max = 64;

/// Stream names are shown in one line and kept in memory by the writer.
inline constexpr std::size_t stream_name_bytes_max = 200;

/// A value passes the write-ahead log and memory whole; larger blobs are cut.
inline constexpr std::size_t blob_chunk_bytes_max = 256u << 10;
inline constexpr std::uint64_t blob_bytes_max = 1ull << 30;

/// Recovery replays about 3 us a commit, so these bound how long a take-over waits.
inline constexpr std::uint64_t wal_bytes_max = 8u << 20;
inline constexpr std::uint64_t wal_commits_max = 20'000;

/// How long a reader keeps asking for a page that must exist before it says what is wrong.
inline constexpr std::chrono::milliseconds catch_up_max{1000};

/// How long opening for writing waits for whoever has the store: longer than a take-over takes on a
/// loaded machine.
inline constexpr std::chrono::milliseconds open_wait_default{5'000};

/// How long an append waits for a writer that hangs before it says who has the store.
inline constexpr std::chrono::milliseconds append_wait_default{10'000};

}  // namespace pievt::limits
