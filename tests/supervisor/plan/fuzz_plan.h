// The rules that hold for every input whatever.
#pragma once

#include <cstddef>
#include <cstdint>

/// Reads bytes as a plan and the files it may name (split at 0x1E: plan, rows.csv, rows.jsonl,
/// a.md) and ends the program unless it is a plan whose canonical text is JSON and stays within
/// limits, or is refused with messages that all point into one of those files. Returns 0.
int fuzz_plan(const std::uint8_t* data, std::size_t size);
