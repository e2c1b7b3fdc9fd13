// What went wrong at the model's provider, told from the error message of a failed message.
//
// pi gives no code, only a sentence: 0.73 "429 Rate limit reached", 1.x "429: {json}", or words of
// the HTTP client ("terminated", "Connection error.: read ECONNRESET").
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pievt::pi {

enum class ProviderFailure : std::uint8_t {
  none,
  rate_limited,
  overloaded,    ///< 503, 529, or the provider's own word for it
  server_error,  ///< other 5xx, or an error object inside the answer
  auth,          ///< no key, a wrong key, or no permission
  not_found,     ///< no such model or endpoint
  bad_request,
  context_overflow,  ///< the conversation no longer fits the model
  network,           ///< refused, reset, cut, timed out
  quota,             ///< out of money or of a paid limit; waiting does not help
  content_filter,
  bad_response,  ///< an answer that is not in the protocol (a proxy's page, broken events)
  other,
};

/// Whether the same prompt may succeed later. `not_in_this_session`: not while the conversation is
/// what it is; a fresh or compacted session may.
enum class Retryable : std::uint8_t { no, yes, not_in_this_session };

std::string_view name_of(ProviderFailure failure);
std::string_view name_of(Retryable retryable);

/// The HTTP status, 100 to 599, if `message` begins with one.
std::optional<int> http_status_in(std::string_view message);

/// The kind of failure `message` describes; `none` for an empty message, `other` when it says
/// nothing known.
ProviderFailure classify_provider_failure(std::string_view message);

Retryable retryable(ProviderFailure failure);

}  // namespace pievt::pi
