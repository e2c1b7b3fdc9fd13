// What pi's error messages say about a provider, in the words of the schemas.
#pragma once

#include "pievt/event.h"
#include "supervisor/pi/provider_failure.h"

namespace pievt::supervisor {

inline schema::ProviderFailure provider_word(pi::ProviderFailure failure) {
  switch (failure) {
    case pi::ProviderFailure::none:
      return schema::ProviderFailure::none;
    case pi::ProviderFailure::rate_limited:
      return schema::ProviderFailure::rate_limited;
    case pi::ProviderFailure::overloaded:
    case pi::ProviderFailure::server_error:
      return schema::ProviderFailure::server_error;
    case pi::ProviderFailure::auth:
      return schema::ProviderFailure::authentication;
    case pi::ProviderFailure::not_found:
      return schema::ProviderFailure::not_found;
    case pi::ProviderFailure::bad_request:
      return schema::ProviderFailure::bad_request;
    case pi::ProviderFailure::context_overflow:
      return schema::ProviderFailure::context_overflow;
    case pi::ProviderFailure::network:
    case pi::ProviderFailure::bad_response:
      return schema::ProviderFailure::network;
    case pi::ProviderFailure::quota:
      return schema::ProviderFailure::quota;
    case pi::ProviderFailure::content_filter:
      return schema::ProviderFailure::content_filter;
    case pi::ProviderFailure::other:
      return schema::ProviderFailure::other;
  }
  return schema::ProviderFailure::unknown;
}

}  // namespace pievt::supervisor
