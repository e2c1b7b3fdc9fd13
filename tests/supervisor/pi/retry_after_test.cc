// What providers write when they ask to be left alone.
#include "supervisor/pi/retry_after.h"

#include <gtest/gtest.h>

namespace pievt::pi {
namespace {

TEST(RetryAfter, IsFoundInWhatProvidersWrite) {
  const struct {
    std::string_view message;
    std::uint64_t milliseconds;
  } waits[] = {
      {"429 Rate limit reached, try again in 5h", 18'000'000},
      {R"(429: {"error":{"message":"Rate limit reached for gpt-4o. Please try again in 1.898s."}})",
       1'898},
      {"Rate limit reached. Please try again in 6m0s. Visit ...", 360'000},
      {"Please try again in 340ms", 340},
      {R"(429: {"error":{"details":[{"retryDelay":"17s"}]}})", 17'000},
      {R"({"type":"rate_limit_error","retry_after":30})", 30'000},
      {R"({"retry_after_ms": 250})", 250},
      {"429 Too Many Requests; Retry-After: 120", 120'000},
      {"Server requested 18000s retry delay (max: 60s)", 18'000'000},
      {"try again in 1 hour 30 minutes", 5'400'000},
      {"please retry after 20 seconds", 20'000},
      {"try again in 2 days", 172'800'000},
      {"try again in 9999 days", 2'592'000'000},
  };
  for (const auto& row : waits)
    EXPECT_EQ(retry_after_ms(row.message), row.milliseconds) << row.message;
}

TEST(RetryAfter, IsNothingWhereNobodySays) {
  for (const std::string_view message :
       {"", "429 Rate limit reached", "500 Internal server error", "try again in a few minutes",
        "retry after", "try again in 0s", "try again in -5s", "please try again later"})
    EXPECT_FALSE(retry_after_ms(message)) << message;
}

}  // namespace
}  // namespace pievt::pi
