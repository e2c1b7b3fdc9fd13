// See provider_keys.h.
#include "supervisor/launch/provider_keys.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>

namespace pievt::launch {
namespace {

using Name = std::string_view;

constexpr Name ai_gateway[] = {"AI_GATEWAY_API_KEY"};
constexpr Name ant_ling[] = {"ANT_LING_API_KEY"};
constexpr Name anthropic[] = {"ANTHROPIC_API_KEY",
                              "ANTHROPIC_AUTH_TOKEN",
                              "ANTHROPIC_FEDERATION_RULE_ID",
                              "ANTHROPIC_IDENTITY_TOKEN_FILE",
                              "ANTHROPIC_OAUTH_TOKEN",
                              "ANTHROPIC_ORGANIZATION_ID",
                              "ANTHROPIC_SERVICE_ACCOUNT_ID",
                              "ANTHROPIC_WORKSPACE_ID"};
constexpr Name aws[] = {"AWS_ACCESS_KEY_ID",
                        "AWS_BEARER_TOKEN_BEDROCK",
                        "AWS_CONFIG_FILE",
                        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                        "AWS_DEFAULT_REGION",
                        "AWS_PROFILE",
                        "AWS_REGION",
                        "AWS_ROLE_ARN",
                        "AWS_ROLE_SESSION_NAME",
                        "AWS_SECRET_ACCESS_KEY",
                        "AWS_SESSION_TOKEN",
                        "AWS_SHARED_CREDENTIALS_FILE",
                        "AWS_WEB_IDENTITY_TOKEN_FILE"};
constexpr Name azure[] = {"AZURE_OPENAI_API_KEY", "AZURE_OPENAI_API_VERSION",
                          "AZURE_OPENAI_BASE_URL", "AZURE_OPENAI_DEPLOYMENT_NAME_MAP",
                          "AZURE_OPENAI_RESOURCE_NAME"};
constexpr Name baseten[] = {"BASETEN_API_KEY"};
constexpr Name cerebras[] = {"CEREBRAS_API_KEY"};
constexpr Name cloudflare_gateway[] = {"CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_KEY",
                                       "CLOUDFLARE_GATEWAY_ID"};
constexpr Name cloudflare_workers[] = {"CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_KEY"};
constexpr Name copilot[] = {"COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN"};
constexpr Name deepseek[] = {"DEEPSEEK_API_KEY"};
constexpr Name fireworks[] = {"FIREWORKS_API_KEY"};
constexpr Name google[] = {"GEMINI_API_KEY"};
constexpr Name groq[] = {"GROQ_API_KEY"};
constexpr Name huggingface[] = {"HF_TOKEN"};
constexpr Name kimi[] = {"KIMI_API_KEY"};
constexpr Name meta[] = {"META_API_KEY"};
constexpr Name minimax[] = {"MINIMAX_API_KEY"};
constexpr Name minimax_cn[] = {"MINIMAX_CN_API_KEY"};
constexpr Name mistral[] = {"MISTRAL_API_KEY"};
constexpr Name moonshot[] = {"MOONSHOT_API_KEY"};
constexpr Name nvidia[] = {"NVIDIA_API_KEY"};
constexpr Name openai[] = {"OPENAI_API_KEY"};
constexpr Name opencode[] = {"OPENCODE_API_KEY"};
constexpr Name openrouter[] = {"OPENROUTER_API_KEY"};
constexpr Name qwen[] = {"QWEN_TOKEN_PLAN_API_KEY"};
constexpr Name qwen_cn[] = {"QWEN_TOKEN_PLAN_CN_API_KEY"};
constexpr Name radius[] = {"RADIUS_API_KEY"};
constexpr Name together[] = {"TOGETHER_API_KEY"};
constexpr Name typesafe[] = {"TYPESAFE_API_KEY"};
constexpr Name vertex[] = {"GCLOUD_PROJECT", "GOOGLE_APPLICATION_CREDENTIALS",
                           "GOOGLE_CLOUD_API_KEY", "GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_PROJECT"};
constexpr Name xai[] = {"XAI_API_KEY"};
constexpr Name xiaomi[] = {"XIAOMI_API_KEY"};
constexpr Name xiaomi_ams[] = {"XIAOMI_TOKEN_PLAN_AMS_API_KEY"};
constexpr Name xiaomi_cn[] = {"XIAOMI_TOKEN_PLAN_CN_API_KEY"};
constexpr Name xiaomi_sgp[] = {"XIAOMI_TOKEN_PLAN_SGP_API_KEY"};
constexpr Name zai[] = {"ZAI_API_KEY"};
constexpr Name zai_cn[] = {"ZAI_CODING_CN_API_KEY"};

// openai-codex has no row of variables: it is used with a login in auth.json only.
constexpr auto providers = std::to_array<ProviderKeys>({
    {"amazon-bedrock", aws},
    {"ant-ling", ant_ling},
    {"anthropic", anthropic},
    {"azure", azure},
    {"azure-openai-responses", azure},
    {"baseten", baseten},
    {"cerebras", cerebras},
    {"cloudflare-ai-gateway", cloudflare_gateway},
    {"cloudflare-workers-ai", cloudflare_workers},
    {"deepseek", deepseek},
    {"fireworks", fireworks},
    {"github-copilot", copilot},
    {"google", google},
    {"google-vertex", vertex},
    {"groq", groq},
    {"huggingface", huggingface},
    {"kimi-coding", kimi},
    {"meta", meta},
    {"minimax", minimax},
    {"minimax-cn", minimax_cn},
    {"mistral", mistral},
    {"moonshotai", moonshot},
    {"moonshotai-cn", moonshot},
    {"nvidia", nvidia},
    {"openai", openai},
    {"openai-codex", {}},
    {"opencode", opencode},
    {"opencode-go", opencode},
    {"openrouter", openrouter},
    {"qwen-token-plan", qwen},
    {"qwen-token-plan-cn", qwen_cn},
    {"qwen-token-plan-individual", qwen},
    {"qwen-token-plan-individual-cn", qwen_cn},
    {"radius", radius},
    {"together", together},
    {"typesafe", typesafe},
    {"vercel-ai-gateway", ai_gateway},
    {"xai", xai},
    {"xiaomi", xiaomi},
    {"xiaomi-token-plan-ams", xiaomi_ams},
    {"xiaomi-token-plan-cn", xiaomi_cn},
    {"xiaomi-token-plan-sgp", xiaomi_sgp},
    {"zai", zai},
    {"zai-coding-cn", zai_cn},
});
static_assert(std::ranges::adjacent_find(providers, std::ranges::greater_equal{},
                                         &ProviderKeys::provider) == providers.end(),
              "sorted, and each provider once");

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// `<PROVIDER>_API_KEY`; empty when the name cannot be a variable's.
std::string customary_variable(std::string_view provider) {
  std::string out;
  for (const char c : provider) {
    const bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_letter && !is_digit && c != '-' && c != '_' && c != '.') return {};
    if (out.empty() && !is_letter) return {};
    out += c == '-' || c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out.empty() ? out : out + "_API_KEY";
}

const ProviderKeys* find_known(std::string_view lower_name) {
  const auto found = std::ranges::lower_bound(providers, lower_name, {}, &ProviderKeys::provider);
  return found != providers.end() && found->provider == lower_name ? &*found : nullptr;
}

}  // namespace

std::span<const ProviderKeys> known_providers() {
  return providers;
}

std::vector<std::string> key_variables(std::string_view provider,
                                       const std::vector<CustomProvider>& custom) {
  const std::string name = lower(provider);
  std::set<std::string> out;
  if (const ProviderKeys* known = find_known(name))
    out.insert(known->variables.begin(), known->variables.end());
  if (std::string variable = customary_variable(provider); !variable.empty())
    out.insert(std::move(variable));
  for (const CustomProvider& each : custom)
    if (lower(each.name) == name) out.insert(each.variables.begin(), each.variables.end());
  return {out.begin(), out.end()};
}

std::vector<std::string> all_key_variables(const std::vector<CustomProvider>& custom) {
  std::set<std::string> out;
  for (const ProviderKeys& each : providers)
    out.insert(each.variables.begin(), each.variables.end());
  for (const CustomProvider& each : custom) {
    const auto names = key_variables(each.name, custom);
    out.insert(names.begin(), names.end());
  }
  return {out.begin(), out.end()};
}

std::optional<std::string> provider_of_model(std::string_view model,
                                             const std::vector<CustomProvider>& custom) {
  const std::size_t slash = model.find('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  std::string name = lower(model.substr(0, slash));
  if (find_known(name) != nullptr) return name;
  const bool named = std::ranges::any_of(
      custom, [&name](const CustomProvider& each) { return lower(each.name) == name; });
  if (named) return name;
  return std::nullopt;
}

}  // namespace pievt::launch
