#include "pievt/result.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace pievt {

std::string_view name_of(Errc code) {
  switch (code) {
    case Errc::not_found:
      return "not_found";
    case Errc::conflict:
      return "conflict";
    case Errc::id_reused:
      return "id_reused";
    case Errc::invalid:
      return "invalid";
    case Errc::invalid_transition:
      return "invalid_transition";
    case Errc::busy:
      return "busy";
    case Errc::fenced:
      return "fenced";
    case Errc::corrupt:
      return "corrupt";
    case Errc::too_new:
      return "too_new";
    case Errc::unsupported:
      return "unsupported";
    case Errc::no_space:
      return "no_space";
    case Errc::io:
      return "io";
  }
  return "unknown";
}

Error os_error(Errc code, std::string_view what, int error_number) {
  return {code, std::string(what) + ": " + std::generic_category().message(error_number)};
}

Error os_error(std::string_view what, int error_number) {
  if (error_number == ENOSPC || error_number == EDQUOT) {
    return os_error(Errc::no_space, what, error_number);
  }
  return os_error(error_number == ENOENT ? Errc::not_found : Errc::io, what, error_number);
}

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, condition);
  std::abort();
}

}  // namespace pievt
