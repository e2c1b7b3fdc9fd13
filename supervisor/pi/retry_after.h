// How long a provider asks to be left alone, from the sentence pi reports its failure with.
//
// pi 0.73 and 1.5 do not print the response's headers, and their own retries heed `Retry-After`
// only inside the HTTP client, which pievt keeps from retrying unseen. What is left is what the
// provider writes: "try again in 5h", "retry after 20 seconds", Google's "retryDelay": "17s", pi's
// own "Server requested 18000s retry delay".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pievt::pi {

/// Milliseconds, at most thirty days; nothing where the message does not say.
std::optional<std::uint64_t> retry_after_ms(std::string_view message);

}  // namespace pievt::pi
