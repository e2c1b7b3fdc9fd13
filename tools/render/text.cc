// Every function here is pure but for the user's time zone, which the C library reads from TZ.
#include "tools/render/text.h"

#include <array>

#include <time.h>

#include <fmt/format.h>

namespace pievt::render {
namespace {

constexpr std::int64_t us = 1'000;
constexpr std::int64_t ms = 1'000 * us;
constexpr std::int64_t second = 1'000 * ms;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;

// The absolute value; the smallest number has one too, only not as a signed one.
std::uint64_t magnitude(std::int64_t value) {
  return value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

std::uint64_t rounded(std::uint64_t value, std::int64_t unit) {
  const auto divisor = static_cast<std::uint64_t>(unit);
  return value / divisor + (value % divisor >= (divisor + 1) / 2 ? 1 : 0);
}

std::string positive_duration(std::uint64_t ns) {
  if (const auto n = rounded(ns, us); n < 1'000) return fmt::format("{} us", n);
  if (const auto n = rounded(ns, ms); n < 100) return fmt::format("{} ms", n);
  if (const auto n = rounded(ns, second / 10); n < 600) {
    return fmt::format("{}.{} s", n / 10, n % 10);
  }
  if (const auto n = rounded(ns, second); n < 3'600)
    return fmt::format("{}m {:02}s", n / 60, n % 60);
  if (const auto n = rounded(ns, minute); n < 24 * 60)
    return fmt::format("{}h {:02}m", n / 60, n % 60);
  const auto n = rounded(ns, hour);
  return fmt::format("{}d {:02}h", n / 24, n % 24);
}

// Tenths as a number: one decimal below a hundred, none from there on.
std::string scaled(std::uint64_t tenths) {
  return tenths < 1'000 ? fmt::format("{}.{}", tenths / 10, tenths % 10)
                        : fmt::format("{}", (tenths + 5) / 10);
}

struct Broken {
  tm parts;
  std::int64_t fraction_ns;
};

Broken break_down(std::int64_t time_ns, Zone zone) {
  std::int64_t seconds = time_ns / second;
  std::int64_t fraction = time_ns % second;
  if (fraction < 0) {
    fraction += second;
    --seconds;
  }
  const time_t when = seconds;
  Broken broken{{}, fraction};
  if (zone == Zone::utc) {
    ::gmtime_r(&when, &broken.parts);
  } else {
    ::localtime_r(&when, &broken.parts);
  }
  return broken;
}

std::string fraction_text(std::int64_t fraction_ns, Precision precision) {
  switch (precision) {
    case Precision::seconds:
      return "";
    case Precision::milliseconds:
      return fmt::format(".{:03}", fraction_ns / ms);
    case Precision::nanoseconds:
      return fmt::format(".{:09}", fraction_ns);
  }
  return "";
}

std::string offset_text(const tm& parts) {
  const long minutes = parts.tm_gmtoff / 60;
  const long size = minutes < 0 ? -minutes : minutes;
  return fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', size / 60, size % 60);
}

std::string clock_of(const Broken& broken, Precision precision) {
  return fmt::format("{:02}:{:02}:{:02}{}", broken.parts.tm_hour, broken.parts.tm_min,
                     broken.parts.tm_sec, fraction_text(broken.fraction_ns, precision));
}

}  // namespace

std::string duration_text(std::int64_t duration_ns) {
  const std::string text = positive_duration(magnitude(duration_ns));
  return duration_ns < 0 ? "-" + text : text;
}

std::string bytes_text(std::uint64_t bytes) {
  static constexpr std::array units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1'024) return fmt::format("{} B", bytes);
  std::size_t unit = 0;
  std::uint64_t divisor = 1'024;
  const auto reaches_next = [&] {
    return bytes / divisor + (bytes % divisor * 2 >= divisor ? 1 : 0) >= 1'024;
  };
  while (unit + 1 < units.size() && reaches_next()) {
    divisor *= 1'024;
    ++unit;
  }
  const std::uint64_t whole = bytes / divisor;
  const std::uint64_t rest = bytes % divisor;
  // The rest is below 2^60, so ten times it still fits.
  const std::uint64_t tenths = whole * 10 + (rest * 10 + divisor / 2) / divisor;
  const bool even = whole * divisor == bytes;
  if (even) return fmt::format("{} {}", whole, units[unit]);
  return fmt::format("{} {}", scaled(tenths), units[unit]);
}

std::string count_text(std::uint64_t count) {
  std::string digits = fmt::format("{}", count);
  for (std::size_t from_end = 3; from_end < digits.size(); from_end += 4) {
    digits.insert(digits.size() - from_end, 1, ',');
  }
  return digits;
}

std::string count_short(std::uint64_t count) {
  if (count < 10'000) return count_text(count);
  static constexpr std::array units = {'k', 'M', 'G'};
  std::uint64_t tenths = rounded(count, 100);
  for (std::size_t unit = 0;; ++unit) {
    if (tenths < 10'000) return fmt::format("{} {}", scaled(tenths), units[unit]);
    if (unit + 1 == units.size()) return fmt::format("{} {}", count_text(tenths / 10), units[unit]);
    tenths = rounded(tenths, 1'000);
  }
}

std::string money_text(std::int64_t nanodollars) {
  const std::uint64_t size = magnitude(nanodollars);
  const std::string_view sign = nanodollars < 0 ? "-" : "";
  const std::uint64_t parts = rounded(size, 100'000);  // ten-thousandths of a dollar
  if (parts == 0 && size != 0) return fmt::format("{}<$0.0001", sign);
  return fmt::format("{}${}.{:04}", sign, count_text(parts / 10'000), parts % 10'000);
}

std::string money_exact(std::int64_t nanodollars) {
  const std::uint64_t size = magnitude(nanodollars);
  std::string text = fmt::format("{}{}.{:09}", nanodollars < 0 ? "-" : "", size / 1'000'000'000,
                                 size % 1'000'000'000);
  const std::size_t shortest = text.find('.') + 3;
  while (text.size() > shortest && text.back() == '0') text.pop_back();
  return text;
}

std::string plural(std::uint64_t count, std::string_view one, std::string_view many) {
  if (count == 1) return fmt::format("1 {}", one);
  if (many.empty()) return fmt::format("{} {}s", count_text(count), one);
  return fmt::format("{} {}", count_text(count), many);
}

std::string rfc3339(std::int64_t time_ns, Zone zone, Precision precision) {
  const Broken broken = break_down(time_ns, zone);
  return fmt::format("{:04}-{:02}-{:02}T{}{}", broken.parts.tm_year + 1'900,
                     broken.parts.tm_mon + 1, broken.parts.tm_mday, clock_of(broken, precision),
                     zone == Zone::utc ? "Z" : offset_text(broken.parts));
}

std::string clock_text(std::int64_t time_ns, Zone zone, Precision precision) {
  return clock_of(break_down(time_ns, zone), precision);
}

std::string date_text(std::int64_t time_ns, Zone zone) {
  static constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const tm parts = break_down(time_ns, zone).parts;
  return fmt::format("{} {} {}", parts.tm_mday, months.at(static_cast<std::size_t>(parts.tm_mon)),
                     parts.tm_year + 1'900);
}

std::string zone_text(std::int64_t time_ns, Zone zone) {
  return zone == Zone::utc ? "UTC" : offset_text(break_down(time_ns, zone).parts);
}

}  // namespace pievt::render
