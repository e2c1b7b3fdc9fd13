// The models pi knows, as it says itself. It asks no model for that, so it costs nothing.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "pievt/result.h"
#include "supervisor/process/spawn.h"

namespace pievt::launch {

/// `provider/model` and `model` of each row of `pi --list-models`, which lists what the user's keys
/// and models.json give. Errors: pi could not be run, or said nothing that can be read; takes 30
/// seconds at most.
Result<std::set<std::string>> list_models(const std::string& program,
                                          const std::vector<process::Variable>& environment);

/// Pure. The rows of a table whose header names `provider` and `model`.
std::set<std::string> models_in(std::string_view table);

/// Pure. What pi is asked for by a plan's model: without the thinking level after the last colon,
/// where that is one.
std::string model_name(std::string_view model);

}  // namespace pievt::launch
