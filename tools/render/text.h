// Numbers, times and money as people read them. All arithmetic is in integers: a report that adds
// up wrong in the last digit is not believed. JSON and CSV carry the plain numbers instead; see
// json_writer.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pievt::render {

/// "412 us", "50 ms", "0.6 s", "1.2 s", "4m 12s", "2h 05m", "3d 04h". Rounded to what is shown, and
/// carried: 59.96 s is "1m 00s". Below a microsecond "0 us"; negative ones begin with "-".
std::string duration_text(std::int64_t duration_ns);

/// "261 B", "1.5 KiB", "64 KiB", "1.2 GiB": of 1024, with one decimal below a hundred.
std::string bytes_text(std::uint64_t bytes);

/// "4,398".
std::string count_text(std::uint64_t count);

/// "4,398" below ten thousand, then "16.0 k", "1.2 M", "3.4 G".
std::string count_short(std::uint64_t count);

/// Nano-dollars as "$0.0091": four decimals, rounded half away from zero, thousands separated. An
/// amount that is not zero but would show as zero is "<$0.0001" (negative: "-<$0.0001"). Not known
/// is the caller's word.
std::string money_text(std::int64_t nanodollars);

/// Nano-dollars with every digit that is not a trailing zero, at least two decimals, no separators
/// and no sign of the currency: "0.009123456". For CSV, and for sums that must add up.
std::string money_exact(std::int64_t nanodollars);

/// "1 job", "2 jobs", "1,024 jobs". `many` only for words whose plural is not made with an s.
std::string plural(std::uint64_t count, std::string_view one, std::string_view many = {});

/// Whose clock a time is shown by.
enum class Zone : std::uint8_t { local, utc };
enum class Precision : std::uint8_t { seconds, milliseconds, nanoseconds };

/// RFC 3339 with an offset: "2026-11-20T12:05:04.604Z", "2026-11-20T13:05:04.604+01:00". Cut, not
/// rounded, to `precision`. `time_ns` counts from 1970; years beyond 9999 are shown as they come.
std::string rfc3339(std::int64_t time_ns, Zone zone, Precision precision = Precision::milliseconds);

/// "12:05:04.604".
std::string clock_text(std::int64_t time_ns, Zone zone,
                       Precision precision = Precision::milliseconds);

/// "20 Nov 2026".
std::string date_text(std::int64_t time_ns, Zone zone);

/// "UTC", or the user's zone as an offset, "+01:00".
std::string zone_text(std::int64_t time_ns, Zone zone);

}  // namespace pievt::render
