// Proves that a FlatBuffer can be read by its schema without leaving its bytes. It uses
// FlatBuffers' own Verifier for single ranges, but is driven by our Schema, because the library's
// reflection verifier takes a union's tag on trust.
#pragma once

#include <cstdint>
#include <span>

#include "pievt/result.h"
#include "store/format/reflect.h"

namespace pievt::reflect {

/// Checks everything that hangs below the root of `body`, which begins at an address divisible by
/// 8. What lies behind an unknown union tag is not looked at and must not be read. Error:
/// `corrupt`, naming the first field that does not fit.
Status check_root(const Schema& schema, std::span<const std::uint8_t> body);

/// The same for the table or struct of `type` at `object`, an address inside `body`.
Status check_object(const Schema& schema, const ObjectType& type,
                    std::span<const std::uint8_t> body, const std::uint8_t* object);

}  // namespace pievt::reflect
