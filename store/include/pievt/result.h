// Errors are values: `Result<T>` holds either a T or an Error, never both, never neither.
//
// The code is for programs (it decides the exit code), the sentence is for people: it says what
// happened, where, and what to do next. Member names follow std::expected and absl::StatusOr so
// that a later change to std::expected is an alias.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace pievt {

/// What kind of failure it is. Values are stable; new ones are added at the end.
enum class Errc : std::uint8_t {
  not_found = 1,           ///< the thing that was named does not exist
  conflict = 2,            ///< a stream is not at the expected revision; nothing was written
  id_reused = 3,           ///< an append id came again with other bytes; nothing was written
  invalid = 4,             ///< the caller's input breaks a rule
  invalid_transition = 5,  ///< the command is not possible in the present state
  busy = 6,                ///< somebody else holds what is needed
  fenced = 7,              ///< this is not, or not at present, the one who may write
  corrupt = 8,             ///< stored bytes are not what was written; carries coordinates
  too_new = 9,             ///< written by a later version with a format this one cannot read
  unsupported = 10,        ///< the system underneath cannot do it
  no_space = 11,           ///< the disk or quota is full
  io = 12,                 ///< the operating system refused or failed
};

/// The stable name of a code, as JSON output and scripts see it ("not_found").
std::string_view name_of(Errc code);

struct [[nodiscard]] Error {
  Errc code;
  std::string what;
};

/// An Error of `code` whose sentence ends with the text of `error_number` (an errno value).
Error os_error(Errc code, std::string_view what, int error_number);

/// As above, with the code that fits the errno: ENOSPC and EDQUOT are no_space, ENOENT not_found,
/// the rest io.
Error os_error(std::string_view what, int error_number);

struct Unit {
  friend bool operator==(const Unit&, const Unit&) = default;
};

template <class T = Unit>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result() requires std::is_same_v<T, Unit> : state_(Unit{}) {}
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// The value. Calling it on an error is a bug in the caller and ends the program.
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

using Status = Result<Unit>;

/// Prints `what` and where it was noticed, then aborts. Only for broken invariants of our own.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace pievt

/// The value of a Result, or an early return of its error from the enclosing function.
#define PIEVT_TRY(...)                             \
  __extension__({                                  \
    auto pievt_try_result_ = (__VA_ARGS__);        \
    if (!pievt_try_result_.ok()) [[unlikely]]      \
      return std::move(pievt_try_result_).error(); \
    std::move(pievt_try_result_).value();          \
  })

/// Stays on in release builds. Data from disk or from a user is never asserted, always checked.
#define PIEVT_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::pievt::assertion_failed(#condition, __FILE__, __LINE__))
