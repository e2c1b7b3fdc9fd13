// JSON Lines: everything a run is, so that `pievt import FILE` gives the same run in another store.
// docs/formats.md describes the lines for a stranger.
#pragma once

#include <memory>

#include "tools/exporters/exporter.h"

namespace pievt::tools {

inline constexpr std::string_view jsonl_schema = "pievt.export";
inline constexpr int jsonl_schema_version = 1;
/// Longer texts are cut into records of so many bytes, so that a line stays something to be read
/// whole.
inline constexpr std::size_t jsonl_part_bytes = 1u << 20;

std::unique_ptr<Exporter> make_jsonl(Export& work);

}  // namespace pievt::tools
