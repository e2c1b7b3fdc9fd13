// The sentences pi really gave, in both dialects, and some of other providers.
#include "supervisor/pi/provider_failure.h"

#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace pievt::pi {
namespace {

struct Row {
  std::string_view message;
  ProviderFailure failure;
  std::optional<int> status;
  Retryable retryable;
};

using enum ProviderFailure;

const std::vector<Row> rows = {
    {"", none, {}, Retryable::no},
    {"429 Rate limit reached for requests", rate_limited, 429, Retryable::yes},
    {"429 Rate limit reached, try again in 5h", rate_limited, 429, Retryable::yes},
    {R"(429: {"message":"Rate limit reached for requests","type":"rate_limit_error"})",
     rate_limited, 429, Retryable::yes},
    {R"(429: {"message":"You exceeded your current quota","code":"insufficient_quota"})", quota,
     429, Retryable::no},
    {"402 Payment Required", quota, 402, Retryable::no},
    {"500 The server had an error", server_error, 500, Retryable::yes},
    {R"(500: {"message":"The server had an error","type":"server_error","code":null})",
     server_error, 500, Retryable::yes},
    {"503 <html><body><h1>Bad gateway page from a proxy</h1></body></html>", overloaded, 503,
     Retryable::yes},
    {R"(529 {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})",
     overloaded, 529, Retryable::yes},
    {"Overloaded", overloaded, {}, Retryable::yes},
    {"Provider returned error", server_error, {}, Retryable::yes},
    {"400 Invalid value for parameter 'foo'", bad_request, 400, Retryable::no},
    {R"(400: {"message":"Invalid value","type":"invalid_request_error"})", bad_request, 400,
     Retryable::no},
    {"401 Incorrect API key provided.", auth, 401, Retryable::no},
    {"403 Forbidden", auth, 403, Retryable::no},
    {"No API key found for stub", auth, {}, Retryable::no},
    {R"(404: {"message":"The model does not exist","code":"model_not_found"})", not_found, 404,
     Retryable::no},
    {"400 This model's maximum context length is 8192 tokens. However, your messages resulted in "
     "9001 tokens. Please reduce the length of the messages.",
     context_overflow, 400, Retryable::not_in_this_session},
    {R"(400: {"message":"too long","code":"context_length_exceeded"})", context_overflow, 400,
     Retryable::not_in_this_session},
    {"Context overflow recovery failed after one compact-and-retry attempt.",
     context_overflow,
     {},
     Retryable::not_in_this_session},
    {"413 Request Entity Too Large", context_overflow, 413, Retryable::not_in_this_session},
    {"Provider finish_reason: content_filter", content_filter, {}, Retryable::no},
    {"Provider finish_reason: galaxy", other, {}, Retryable::no},
    {"Connection error.", network, {}, Retryable::yes},
    {"Connection error.: read ECONNRESET", network, {}, Retryable::yes},
    {"terminated", network, {}, Retryable::yes},
    {"terminated: Body Timeout Error (UND_ERR_BODY_TIMEOUT)", network, {}, Retryable::yes},
    {"Request timed out.: This operation was aborted (20)", network, {}, Retryable::yes},
    {"Stream ended without finish_reason", network, {}, Retryable::yes},
    {"408 Request Timeout", network, 408, Retryable::yes},
    {"Expected property name or '}' in JSON at position 1", bad_response, {}, Retryable::yes},
    {"malformed server-sent event JSON", bad_response, {}, Retryable::yes},
    {"something new", other, {}, Retryable::no},
};

TEST(ProviderFailureTest, KnowsTheSentences) {
  for (const Row& row : rows) {
    const ProviderFailure failure = classify_provider_failure(row.message);
    EXPECT_EQ(name_of(failure), name_of(row.failure)) << row.message;
    EXPECT_EQ(http_status_in(row.message), row.status) << row.message;
    EXPECT_EQ(name_of(retryable(failure)), name_of(row.retryable)) << row.message;
  }
}

TEST(ProviderFailureTest, AStatusIsThreeDigitsAndNothingElse) {
  EXPECT_EQ(http_status_in("429"), 429);
  EXPECT_EQ(http_status_in("429:"), 429);
  EXPECT_FALSE(http_status_in("4290 things"));
  EXPECT_FALSE(http_status_in("42"));
  EXPECT_FALSE(http_status_in("999 x"));
  EXPECT_FALSE(http_status_in("099 x"));
  EXPECT_FALSE(http_status_in(" 429"));
  EXPECT_FALSE(http_status_in("500ms passed"));
}

}  // namespace
}  // namespace pievt::pi
