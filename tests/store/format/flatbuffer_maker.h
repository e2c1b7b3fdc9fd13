// Makes schemas and bodies for tests: from text through FlatBuffers' own parser, which shares no
// code with ours, and by dice for any table of a schema.
#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "store/format/reflect.h"

namespace pievt::reflect::testing {

/// The binary schema of a text in FlatBuffers' schema language. Fails the test when it is none.
std::vector<std::byte> compile(const std::string& schema_text);

/// The binary schema of a file, with includes beside it.
std::vector<std::byte> compile_file(const std::string& path);

/// What is in a file; empty, and a failed test, where there is none.
std::string read_file(const std::string& path);

Schema load(const std::vector<std::byte>& bfbs);

/// The body that a JSON text describes by a schema text.
std::vector<std::byte> body_from_json(const std::string& schema_text, const std::string& json);

/// What FlatBuffers' own printer makes of a body: JSON with every default.
std::string flatc_json(const std::vector<std::byte>& bfbs, const std::vector<std::byte>& body);

/// A body whose root has random fields, strings and vectors, and in its first union the member with
/// this tag.
std::vector<std::byte> random_body(const Schema& schema, std::uint8_t tag, std::mt19937_64& dice);

}  // namespace pievt::reflect::testing
