// What is read from and written to pi's JSON files: text in, values or text out, no files.
//
// The texts are the user's and may be anything. Nothing here fails on them: what cannot be read
// counts as absent and is told in a sentence, because pi does the same.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/launch/pi_version.h"

namespace pievt::launch {

struct GeneratedSettings {
  std::string text;                  ///< for the private settings.json
  std::vector<std::string> dropped;  ///< names of the user's settings that were left out
  std::vector<std::string> warnings;
};

/// The settings of an attempt: the user's (nullopt: there is no file), minus what loads or starts
/// code and what names places in the user's directory, plus ours.
///
/// Dropped: packages, extensions, skills, prompts, themes (resources; relative paths would be
/// looked for in the private directory), npmCommand, selfUpdateCommand, externalEditor (programs to
/// start), sessionDir, defaultProjectTrust. Kept although they concern the shell: shellPath and
/// shellCommandPrefix, which may be the user's sandbox.
///
/// Ours, always: enableInstallTelemetry and enableAnalytics false. Before 1.0:
/// retry.provider.maxRetries 0 (its retries inside a request leave no event),
/// retry.provider.timeoutMs 300000 unless the user has one (1.x's default; without it a silent
/// server is waited for twice as long), and in json mode compaction.enabled false (it works on
/// unseen after a context overflow there). From 1.0 on the user's or pi's defaults hold.
///
/// A user's text that is not a JSON object, is longer than a MiB or nests deeper than 64 gives
/// ours alone, and a warning.
GeneratedSettings generate_settings(std::optional<std::string_view> user, const PiVersion& version,
                                    PiMode mode);

/// `defaultProvider` of a settings text; nullopt when there is none.
std::optional<std::string> default_provider(std::string_view settings);

/// A provider of models.json and the environment variables its keys and headers are taken from.
struct CustomProvider {
  std::string name;
  std::vector<std::string> variables;  ///< ascending, each once

  friend bool operator==(const CustomProvider&, const CustomProvider&) = default;
};

/// The providers of a models.json, ascending by name; none when it cannot be read. A variable is
/// named by `apiKey` or by a header, of the provider or of one of its models: as `$NAME` or
/// `${NAME}` (1.x), or as the whole value in capitals (0.73). Commands (`!...`) name none.
std::vector<CustomProvider> custom_providers(std::string_view models);

}  // namespace pievt::launch
