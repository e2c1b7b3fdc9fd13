// The flags that every verb has, declared like any verb's own and turned into one struct.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pievt/result.h"
#include "tools/frame/arguments.h"
#include "tools/frame/option.h"
#include "tools/render/terminal.h"
#include "tools/render/text.h"

namespace pievt::tools {

enum class OutputFormat : std::uint8_t { text, json, jsonl, csv };
enum class Paging : std::uint8_t { allowed, never };
enum class Asking : std::uint8_t { allowed, never };
enum class Loudness : std::uint8_t { quiet, normal, verbose };

struct Globals {
  std::optional<std::string> store;  ///< --store, else PIEVT_STORE, else nothing: look upwards
  std::optional<std::string> at;     ///< --at as typed; what it means depends on the run
  OutputFormat output = OutputFormat::text;
  std::vector<std::string> fields;  ///< --fields, in the order typed; empty means all
  render::ColorChoice color = render::ColorChoice::automatic;
  Paging paging = Paging::allowed;
  Asking asking = Asking::allowed;
  Loudness loudness = Loudness::normal;
  render::Zone zone = render::Zone::local;
};

/// The rows, in the order help shows them.
std::span<const Option> global_options();

/// Reads them out of what was typed. Errc::invalid when two contradict each other (-q with -v,
/// --json with -o csv) or --fields has an empty name in it.
Result<Globals> globals_from(const Arguments& arguments, render::Environment environment);

/// Whether errors should be JSON as well. It looks at the raw words, because it is needed exactly
/// when they could not be parsed.
bool asks_for_json(std::span<const std::string> words);

}  // namespace pievt::tools
