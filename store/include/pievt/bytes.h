// Views of bytes: as what hashes and pages take, and as what texts and keys take. None copies; a
// view lives as long as what it looks at.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <flatbuffers/string.h>

namespace pievt {

inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Of a field of an event; empty where the field is absent.
inline std::string_view text_of(const flatbuffers::String* field) {
  return field == nullptr ? std::string_view() : field->string_view();
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace pievt
