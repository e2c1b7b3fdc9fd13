// Rules over history: what must not have happened, asked of runs that are long over. A policy is a
// JSON file:
//
//   {
//     "forbiddenPaths":    ["secrets/**", "*.pem"],      no attempt wrote these
//     "forbiddenCommands": ["git push", "rm -rf /"],     no shell command has these words
//     "network":           ["curl", "wget", "ssh"],      nor these as commands of their own
//     "budget":            {"dollars": 5, "tokens": 2000000, "dollarsPerJob": 0.5},
//     "retries":           {"perJob": 2, "perRun": 10},
//     "secrets":           true,                          none reached the record unmasked
//     "weak":              true                           no success rests on little
//   }
//
// Every key may be left out; a key that is not known is an error, because a rule nobody reads
// protects nobody.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/result.h"
#include "tools/audit/material.h"
#include "tools/audit/report.h"

namespace pievt::audit {

struct Policy {
  std::vector<std::string> forbidden_paths;
  std::vector<std::string> forbidden_commands;
  std::vector<std::string> network;
  std::optional<std::int64_t> nanodollars, nanodollars_per_job;
  std::optional<std::uint64_t> tokens;
  std::optional<std::uint64_t> retries_per_job, retries_per_run;
  bool secrets = false;
  bool weak = false;
};

/// invalid: with the key and what is wrong with it.
Result<Policy> parse_policy(std::string_view json);

/// Adds what was broken. A limit on something of which a part was not reported is broken only by
/// what is known; that the rest is not known is added to `report.unknown`.
/// `arguments`: the whole arguments of a call, as JSON; empty where they are not stored.
using CallText = std::function<std::string(const story::ToolCall& call)>;
void apply_policy(RunReport& report, const Material& material, const Policy& policy,
                  const CallText& arguments);

}  // namespace pievt::audit
