// A small reader over the text (numbers of fixed width, literals), and the C library for the
// calendar.
#include "tools/frame/moment.h"

#include <array>
#include <limits>
#include <optional>

#include <time.h>

#include <fmt/format.h>

namespace pievt::tools {
namespace {

using render::Zone;

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t day_s = 86'400;

struct Unit {
  std::string_view name;
  std::int64_t ns;
};
// "ms" stands before "m" because the first that fits is taken.
constexpr std::array units = {Unit{"ms", second_ns / 1'000}, Unit{"d", day_s* second_ns},
                              Unit{"h", 3'600 * second_ns}, Unit{"m", 60 * second_ns},
                              Unit{"s", second_ns}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes pieces from the front of a text; nothing is taken when a piece does not fit.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }

  bool literal(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  bool any_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// A number of exactly `digits` digits.
  std::optional<int> fixed(std::size_t digits) {
    if (rest_.size() < digits) return std::nullopt;
    int number = 0;
    for (const char c : rest_.substr(0, digits)) {
      if (!is_digit(c)) return std::nullopt;
      number = number * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return number;
  }

  /// One to eighteen digits.
  std::optional<std::int64_t> whole() {
    std::int64_t number = 0;
    std::size_t digits = 0;
    while (digits < rest_.size() && digits < 18 && is_digit(rest_[digits])) {
      number = number * 10 + (rest_[digits++] - '0');
    }
    if (digits == 0) return std::nullopt;
    rest_.remove_prefix(digits);
    return number;
  }

  /// Digits after a decimal point, as nanoseconds; digits beyond the ninth are dropped.
  std::optional<std::int64_t> fraction() {
    std::int64_t ns = 0;
    std::int64_t weight = second_ns / 10;
    std::size_t digits = 0;
    for (; digits < rest_.size() && is_digit(rest_[digits]); ++digits, weight /= 10) {
      ns += (rest_[digits] - '0') * weight;
    }
    if (digits == 0) return std::nullopt;
    rest_.remove_prefix(digits);
    return ns;
  }

 private:
  std::string_view rest_;
};

struct Clock {
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::int64_t ns = 0;
};

std::optional<Clock> read_clock(Reader& reader) {
  Clock clock;
  const auto hour = reader.fixed(2);
  if (!hour || !reader.literal(":")) return std::nullopt;
  const auto minute = reader.fixed(2);
  if (!minute) return std::nullopt;
  clock.hour = *hour;
  clock.minute = *minute;
  if (reader.literal(":")) {
    const auto second = reader.fixed(2);
    if (!second) return std::nullopt;
    clock.second = *second;
    if (reader.literal(".")) {
      const auto ns = reader.fraction();
      if (!ns) return std::nullopt;
      clock.ns = *ns;
    }
  }
  const bool exists = clock.hour < 24 && clock.minute < 60 && clock.second < 60;
  return exists ? std::optional(clock) : std::nullopt;
}

struct Date {
  int year = 0;
  int month = 0;
  int day = 0;
};

std::optional<Date> read_date(Reader& reader) {
  const auto year = reader.fixed(4);
  if (!year || !reader.literal("-")) return std::nullopt;
  const auto month = reader.fixed(2);
  if (!month || !reader.literal("-")) return std::nullopt;
  const auto day = reader.fixed(2);
  if (!day) return std::nullopt;
  return Date{*year, *month, *day};
}

// Seconds east of UTC.
std::optional<std::int64_t> read_offset(Reader& reader) {
  if (reader.any_of("Zz")) return 0;
  const bool east = reader.literal("+");
  if (!east && !reader.literal("-")) return std::nullopt;
  const auto hours = reader.fixed(2);
  if (!hours || !reader.literal(":")) return std::nullopt;
  const auto minutes = reader.fixed(2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::int64_t size = *hours * 3'600 + *minutes * 60;
  return east ? size : -size;
}

tm broken(const Date& date, const Clock& clock) {
  tm parts{};
  parts.tm_year = date.year - 1'900;
  parts.tm_mon = date.month - 1;
  parts.tm_mday = date.day;
  parts.tm_hour = clock.hour;
  parts.tm_min = clock.minute;
  parts.tm_sec = clock.second;
  parts.tm_isdst = -1;
  return parts;
}

// The C library turns 30 February into 2 March; asked for such a day, the answer is none. Years are
// those that nanoseconds since 1970 reach.
std::optional<std::int64_t> utc_ns(const Date& date, const Clock& clock) {
  if (date.year < 1'970 || date.year > 2'261) return std::nullopt;
  tm parts = broken(date, clock);
  const time_t seconds = ::timegm(&parts);
  if (parts.tm_mon != date.month - 1 || parts.tm_mday != date.day) return std::nullopt;
  return seconds * second_ns + clock.ns;
}

std::optional<std::int64_t> zoned_ns(const Date& date, const Clock& clock, Zone zone) {
  const auto checked = utc_ns(date, clock);
  if (!checked || zone == Zone::utc) return checked;
  tm parts = broken(date, clock);
  return ::mktime(&parts) * second_ns + clock.ns;
}

Date date_of(std::int64_t time_s, Zone zone) {
  const time_t when = time_s;
  tm parts{};
  if (zone == Zone::utc) {
    ::gmtime_r(&when, &parts);
  } else {
    ::localtime_r(&when, &parts);
  }
  return {parts.tm_year + 1'900, parts.tm_mon + 1, parts.tm_mday};
}

// The day before, by the calendar: noon minus a day is yesterday whatever the clocks did.
Date day_before(const Date& date) {
  const std::int64_t noon_ns = utc_ns(date, {12, 0, 0, 0}).value_or(0);
  return date_of(noon_ns / second_ns - day_s, Zone::utc);
}

std::optional<std::int64_t> relative_day(Reader& reader, const Date& day, Zone zone) {
  Clock clock;
  if (!reader.at_end()) {
    if (!reader.literal(" ")) return std::nullopt;
    const auto given = read_clock(reader);
    if (!given) return std::nullopt;
    clock = *given;
  }
  return reader.at_end() ? zoned_ns(day, clock, zone) : std::nullopt;
}

std::optional<std::int64_t> absolute(std::string_view text, Zone zone) {
  Reader reader(text);
  const auto date = read_date(reader);
  if (!date) return std::nullopt;
  if (reader.at_end()) return zoned_ns(*date, {}, zone);
  if (!reader.any_of("Tt ")) return std::nullopt;
  const auto clock = read_clock(reader);
  if (!clock) return std::nullopt;
  if (reader.at_end()) return zoned_ns(*date, *clock, zone);
  const auto offset_s = read_offset(reader);
  const auto ns = utc_ns(*date, *clock);
  if (!offset_s || !ns || !reader.at_end()) return std::nullopt;
  return *ns - *offset_s * second_ns;
}

std::optional<std::int64_t> clock_only(std::string_view text, std::int64_t now_ns, Zone zone) {
  Reader reader(text);
  const auto clock = read_clock(reader);
  if (!clock || !reader.at_end()) return std::nullopt;
  const Date today = date_of(now_ns / second_ns, zone);
  const auto time = zoned_ns(today, *clock, zone);
  return time && *time > now_ns ? zoned_ns(day_before(today), *clock, zone) : time;
}

}  // namespace

Result<std::int64_t> parse_duration(std::string_view text) {
  const Error wrong{
      Errc::invalid,
      fmt::format("\"{}\" is not a duration; write it like 90s, 20m, 1h30m or 500ms", text)};
  Reader reader(text);
  std::int64_t total_ns = 0;
  std::int64_t unit_before_ns = std::numeric_limits<std::int64_t>::max();
  do {
    const auto amount = reader.whole();
    std::int64_t unit_ns = 0;
    for (const Unit& unit : units) {
      if (!reader.literal(unit.name)) continue;
      unit_ns = unit.ns;
      break;
    }
    if (!amount || unit_ns == 0 || unit_ns >= unit_before_ns) return wrong;
    std::int64_t part_ns = 0;
    if (__builtin_mul_overflow(*amount, unit_ns, &part_ns) ||
        __builtin_add_overflow(total_ns, part_ns, &total_ns)) {
      return wrong;
    }
    unit_before_ns = unit_ns;
  } while (!reader.at_end());
  return total_ns;
}

Result<std::int64_t> parse_moment(std::string_view text, std::int64_t now_ns, Zone zone) {
  if (text == "now") return now_ns;
  if (const auto ago = parse_duration(text); ago.ok()) return now_ns - *ago;
  const Date today = date_of(now_ns / second_ns, zone);
  Reader reader(text);
  std::optional<std::int64_t> time;
  if (reader.literal("today")) {
    time = relative_day(reader, today, zone);
  } else if (reader.literal("yesterday")) {
    time = relative_day(reader, day_before(today), zone);
  } else if (time = absolute(text, zone); !time) {
    time = clock_only(text, now_ns, zone);
  }
  if (time) return *time;
  return Error{Errc::invalid,
               fmt::format("\"{}\" is not a time; write it like 2h, 14:00, yesterday 14:00, "
                           "2026-11-20 14:00 or 2026-11-20T14:00:00Z",
                           text)};
}

}  // namespace pievt::tools
