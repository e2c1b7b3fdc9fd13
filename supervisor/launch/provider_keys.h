// Which environment variables each of pi's providers reads: keys, and what goes with them (regions,
// account numbers, endpoints). Facts of pi 0.73.1 and 1.5.2, both kept: a variable that one version
// does not read does no harm.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/launch/agent_json.h"

namespace pievt::launch {

struct ProviderKeys {
  std::string_view provider;
  std::span<const std::string_view> variables;
};

/// Every provider pi knows by itself, ascending.
std::span<const ProviderKeys> known_providers();

/// The variables of one provider, by its name in any case: those of the table, the customary
/// `<PROVIDER>_API_KEY`, and those its entry in models.json names. Ascending, each once.
std::vector<std::string> key_variables(std::string_view provider,
                                       const std::vector<CustomProvider>& custom);

/// The variables of all providers, for a model whose provider pi chooses by the keys it finds.
std::vector<std::string> all_key_variables(const std::vector<CustomProvider>& custom);

/// The provider that `provider/model` names, in lower case; nullopt when the part before the slash
/// is no provider pi or the user's models.json knows (then it is a part of the model's name, and pi
/// searches all providers for it).
std::optional<std::string> provider_of_model(std::string_view model,
                                             const std::vector<CustomProvider>& custom);

}  // namespace pievt::launch
