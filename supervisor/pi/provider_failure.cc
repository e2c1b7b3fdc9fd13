// See provider_failure.h. An ordered table of phrases, most specific first, then the HTTP status,
// then vaguer phrases. Phrases are lower case and looked for in the lower-cased message.
#include "supervisor/pi/provider_failure.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>

namespace pievt::pi {

namespace {

struct Phrase {
  std::string_view words;
  ProviderFailure failure;
};

using enum ProviderFailure;

// Said together with a status that means something vaguer (an overflow is a 400, a quota a 429).
constexpr std::array specific_phrases = {
    Phrase{"context_length_exceeded", context_overflow},
    Phrase{"maximum context length", context_overflow},
    Phrase{"context overflow", context_overflow},
    Phrase{"context window", context_overflow},
    Phrase{"prompt is too long", context_overflow},
    Phrase{"input is too long", context_overflow},
    Phrase{"too many tokens", context_overflow},
    Phrase{"reduce the length of the messages", context_overflow},
    Phrase{"content_filter", content_filter},
    Phrase{"content filter", content_filter},
    Phrase{"content management policy", content_filter},
    Phrase{"insufficient_quota", quota},
    Phrase{"exceeded your current quota", quota},
    Phrase{"billing", quota},
    Phrase{"credit balance", quota},
    Phrase{"payment required", quota},
    Phrase{"overloaded", overloaded},
};

constexpr std::array vague_phrases = {
    Phrase{"rate limit", rate_limited},
    Phrase{"rate_limit", rate_limited},
    Phrase{"too many requests", rate_limited},
    Phrase{"invalid api key", auth},
    Phrase{"incorrect api key", auth},
    Phrase{"no api key", auth},
    Phrase{"unauthorized", auth},
    Phrase{"authentication", auth},
    Phrase{"permission denied", auth},
    Phrase{"model_not_found", not_found},
    Phrase{"service unavailable", overloaded},
    Phrase{"internal server error", server_error},
    Phrase{"server_error", server_error},
    Phrase{"bad gateway", server_error},
    Phrase{"gateway timeout", server_error},
    Phrase{"provider returned error", server_error},
    Phrase{"invalid_request_error", bad_request},
    Phrase{"connection error", network},
    Phrase{"connection lost", network},
    Phrase{"connection refused", network},
    Phrase{"socket hang up", network},
    Phrase{"fetch failed", network},
    Phrase{"network", network},
    Phrase{"terminated", network},
    Phrase{"timed out", network},
    Phrase{"timeout", network},
    Phrase{"econn", network},
    Phrase{"etimedout", network},
    Phrase{"enotfound", network},
    Phrase{"eai_again", network},
    Phrase{"epipe", network},
    Phrase{"ended without", network},
    Phrase{"in json at position", bad_response},
    Phrase{"server-sent event", bad_response},
    Phrase{"unexpected token", bad_response},
    Phrase{"unexpected end of json", bad_response},
    Phrase{"could not parse", bad_response},
};

ProviderFailure first_match(std::span<const Phrase> phrases, std::string_view lower_case) {
  const auto found = std::ranges::find_if(phrases, [lower_case](const Phrase& phrase) {
    return lower_case.find(phrase.words) != std::string_view::npos;
  });
  return found == phrases.end() ? none : found->failure;
}

ProviderFailure by_status(int status) {
  switch (status) {
    case 401:
    case 403:
    case 407:
      return auth;
    case 402:
      return quota;
    case 404:
    case 410:
      return not_found;
    case 408:
      return network;
    case 413:
      return context_overflow;
    case 429:
      return rate_limited;
    case 503:
    case 529:
      return overloaded;
    default:
      return status >= 500 ? server_error : status >= 400 ? bad_request : other;
  }
}

constexpr std::array<std::string_view, 13> failure_names = {
    "none",    "rate_limited", "overloaded",     "server_error",
    "auth",    "not_found",    "bad_request",    "context_overflow",
    "network", "quota",        "content_filter", "bad_response",
    "other"};
static_assert(failure_names.size() == static_cast<std::size_t>(other) + 1);

}  // namespace

std::string_view name_of(ProviderFailure failure) {
  return failure_names[std::min(static_cast<std::size_t>(failure), failure_names.size() - 1)];
}

std::string_view name_of(Retryable retryable) {
  switch (retryable) {
    case Retryable::no:
      return "no";
    case Retryable::yes:
      return "yes";
    case Retryable::not_in_this_session:
      return "not_in_this_session";
  }
  return "no";
}

std::optional<int> http_status_in(std::string_view message) {
  const auto digit = [message](std::size_t i) {
    return i < message.size() && message[i] >= '0' && message[i] <= '9';
  };
  if (!digit(0) || !digit(1) || !digit(2)) return std::nullopt;
  if (message.size() > 3 && message[3] != ' ' && message[3] != ':') return std::nullopt;
  const int status = (message[0] - '0') * 100 + (message[1] - '0') * 10 + (message[2] - '0');
  if (status < 100 || status > 599) return std::nullopt;
  return status;
}

ProviderFailure classify_provider_failure(std::string_view message) {
  if (message.empty()) return none;
  std::string lower_case{message};
  std::ranges::transform(lower_case, lower_case.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (const auto failure = first_match(specific_phrases, lower_case); failure != none) {
    return failure;
  }
  if (const auto status = http_status_in(message)) return by_status(*status);
  const auto failure = first_match(vague_phrases, lower_case);
  return failure == none ? other : failure;
}

Retryable retryable(ProviderFailure failure) {
  switch (failure) {
    case rate_limited:
    case overloaded:
    case server_error:
    case network:
    case bad_response:
      return Retryable::yes;
    case context_overflow:
      return Retryable::not_in_this_session;
    case none:
    case auth:
    case not_found:
    case bad_request:
    case quota:
    case content_filter:
    case other:
      return Retryable::no;
  }
  return Retryable::no;
}

}  // namespace pievt::pi
