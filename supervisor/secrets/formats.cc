// Keys that are known by their form. See rules.h.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "supervisor/secrets/rules.h"

namespace pievt::secrets {
namespace {

enum class Alphabet { alnum, upper_alnum, hex, token };  // token: letters, digits, `_`, `-`

struct Format {
  std::string_view rule;
  std::string_view literal;
  Alphabet alphabet;
  std::size_t min, max;  ///< characters behind the literal
};

constexpr std::size_t any = 512;

// Longer beginnings before shorter ones they begin with.
constexpr std::array formats = {
    Format{"anthropic-key", "sk-ant-", Alphabet::token, 24, any},
    Format{"openrouter-key", "sk-or-v1-", Alphabet::hex, 32, any},
    Format{"openai-key", "sk-proj-", Alphabet::token, 32, any},
    Format{"openai-key", "sk-svcacct-", Alphabet::token, 32, any},
    Format{"openai-key", "sk-admin-", Alphabet::token, 32, any},
    Format{"api-key", "sk-", Alphabet::alnum, 32, any},
    Format{"stripe-key", "sk_live_", Alphabet::alnum, 20, any},
    Format{"stripe-key", "rk_live_", Alphabet::alnum, 20, any},
    Format{"github-token", "ghp_", Alphabet::alnum, 36, any},
    Format{"github-token", "gho_", Alphabet::alnum, 36, any},
    Format{"github-token", "ghu_", Alphabet::alnum, 36, any},
    Format{"github-token", "ghs_", Alphabet::alnum, 36, any},
    Format{"github-token", "ghr_", Alphabet::alnum, 36, any},
    Format{"github-token", "github_pat_", Alphabet::token, 40, any},
    Format{"gitlab-token", "glpat-", Alphabet::token, 20, any},
    Format{"aws-access-key", "AKIA", Alphabet::upper_alnum, 16, 16},
    Format{"aws-access-key", "ASIA", Alphabet::upper_alnum, 16, 16},
    Format{"google-key", "AIza", Alphabet::token, 35, 35},
    Format{"google-oauth-token", "ya29.", Alphabet::token, 40, any},
    Format{"slack-token", "xoxb-", Alphabet::token, 20, any},
    Format{"slack-token", "xoxp-", Alphabet::token, 20, any},
    Format{"slack-token", "xoxa-", Alphabet::token, 20, any},
    Format{"slack-token", "xoxr-", Alphabet::token, 20, any},
    Format{"slack-token", "xoxs-", Alphabet::token, 20, any},
    Format{"npm-token", "npm_", Alphabet::alnum, 36, any},
    Format{"huggingface-token", "hf_", Alphabet::alnum, 30, any},
    Format{"groq-key", "gsk_", Alphabet::alnum, 40, any},
    Format{"xai-key", "xai-", Alphabet::alnum, 40, any},
    Format{"jwt", "eyJ", Alphabet::token, 10, any * 4},
    Format{"private-key", "-----BEGIN ", Alphabet::token, 0, any},
    Format{"bearer-token", "Bearer ", Alphabet::token, 16, any},
    Format{"bearer-token", "bearer ", Alphabet::token, 16, any},
    Format{"url-password", "://", Alphabet::token, 0, any},
};

constexpr bool is_of(Alphabet alphabet, char c) {
  switch (alphabet) {
    case Alphabet::alnum:
      return is_alnum(c);
    case Alphabet::upper_alnum:
      return is_upper(c) || is_digit(c);
    case Alphabet::hex:
      return is_digit(c) || (c >= 'a' && c <= 'f');
    case Alphabet::token:
      return is_alnum(c) || c == '_' || c == '-';
  }
  return false;
}

std::size_t run_end(std::string_view text, std::size_t from, Alphabet alphabet) {
  const std::size_t limit = std::min(text.size(), from + any * 4);
  while (from < limit && is_of(alphabet, text[from])) ++from;
  return from;
}

bool looks_made(std::string_view body) {
  constexpr double bits_min = 3.0;  // 20 hexadecimal digits have 3.4, `abcabcabc…` has 1.6
  return !is_placeholder(body) && std::ranges::any_of(body, is_digit) && entropy(body) >= bits_min;
}

// Header, payload and signature; the first two are JSON objects, hence `eyJ`.
std::optional<Stretch> jwt_at(std::string_view text, std::size_t at) {
  const std::size_t header = run_end(text, at, Alphabet::token);
  if (header - at < 10 || !text.substr(header).starts_with(".eyJ")) return std::nullopt;
  const std::size_t payload = run_end(text, header + 1, Alphabet::token);
  if (payload >= text.size() || text[payload] != '.') return std::nullopt;
  const std::size_t end = run_end(text, payload + 1, Alphabet::token);
  if (end - payload < 20) return std::nullopt;
  return Stretch{"jwt", at, end, "eyJ"};
}

// From BEGIN to END; where END is missing, as far as there is base64. Line breaks may be escaped.
std::optional<Stretch> private_key_at(std::string_view text, std::size_t at) {
  constexpr std::size_t key_bytes_max = 16 << 10;
  constexpr std::string_view kind = "PRIVATE KEY-----";
  const std::string_view header = text.substr(at, 60);
  const std::size_t named = header.find(kind);
  if (named == std::string_view::npos) return std::nullopt;
  const std::size_t body = at + named + kind.size();
  const std::string_view rest = text.substr(body, key_bytes_max);
  const std::size_t foot = rest.find("-----END ");
  if (foot != std::string_view::npos) {
    const std::size_t end = rest.find(kind, foot);
    if (end != std::string_view::npos)
      return Stretch{"private-key", at, body + end + kind.size(), "-----BEGIN"};
  }
  std::size_t end = 0;
  const auto belongs = [](char c) {
    return is_alnum(c) || std::string_view("+/=\\\r\n ").find(c) != std::string_view::npos;
  };
  while (end < rest.size() && belongs(rest[end])) ++end;
  while (end > 0 && rest[end - 1] == '\\') --end;
  if (end < 40) return std::nullopt;
  return Stretch{"private-key", at, body + end, "-----BEGIN"};
}

// `://user:password@host`: the password alone.
std::optional<Stretch> url_password_at(std::string_view text, std::size_t at) {
  constexpr std::string_view ends = "/ \t\r\n\"'<>`\\@";
  const std::size_t user = at + 3;
  const std::size_t limit = std::min(text.size(), user + 256);
  std::size_t colon = user;
  while (colon < limit && text[colon] != ':' && ends.find(text[colon]) == std::string_view::npos)
    ++colon;
  if (colon >= limit || text[colon] != ':') return std::nullopt;
  std::size_t end = colon + 1;
  while (end < limit && text[end] != ':' && ends.find(text[end]) == std::string_view::npos) ++end;
  if (end >= limit || text[end] != '@') return std::nullopt;
  const std::string_view password = text.substr(colon + 1, end - colon - 1);
  constexpr std::array<std::string_view, 6> usual{"password", "pass",   "pwd",
                                                  "passwd",   "secret", "postgres"};
  constexpr std::size_t port_digits_max = 5;
  if (password.size() <= port_digits_max && std::ranges::all_of(password, is_digit))
    return std::nullopt;  // `http://localhost:8080@…`
  if (password.size() < 4 || is_placeholder(password) || password[0] == '$' || password[0] == '{' ||
      std::ranges::find(usual, password) != usual.end())
    return std::nullopt;
  return Stretch{"url-password", colon + 1, end};
}

std::optional<Stretch> bearer_at(std::string_view text, const Format& format, std::size_t at) {
  const std::size_t body = at + format.literal.size();
  std::size_t end = body;
  while (end < text.size() && end - body < any * 4 &&
         (is_of(Alphabet::token, text[end]) || text[end] == '.' || text[end] == '/' ||
          text[end] == '+' || text[end] == '='))
    ++end;
  while (end > body && text[end - 1] == '.') --end;  // of the sentence
  if (end - body < format.min || !looks_made(text.substr(body, end - body))) return std::nullopt;
  return Stretch{format.rule, body, end};
}

}  // namespace

std::size_t format_count() {
  return formats.size();
}

std::string_view format_literal(std::size_t index) {
  return formats[index].literal;
}

std::optional<Stretch> format_at(std::string_view text, std::size_t at) {
  const std::string_view here = text.substr(at);
  for (const Format& format : formats) {
    if (!here.starts_with(format.literal)) continue;
    if (format.rule == "url-password") return url_password_at(text, at);
    if (format.rule == "private-key") return private_key_at(text, at);
    if (!begins_word(text, at)) return std::nullopt;
    if (format.rule == "jwt") return jwt_at(text, at);
    if (format.rule == "bearer-token") return bearer_at(text, format, at);
    const std::size_t body = at + format.literal.size();
    const std::size_t end = run_end(text, body, format.alphabet);
    // One more character of any word: then it is a longer word and no key of this form.
    const bool goes_on = end < text.size() && is_of(Alphabet::token, text[end]);
    const std::size_t size = end - body;
    if (size < format.min || size > format.max || (goes_on && format.min == format.max)) continue;
    if (!looks_made(text.substr(body, size))) return std::nullopt;
    return Stretch{format.rule, at, end, format.literal};
  }
  return std::nullopt;
}

bool begins_word(std::string_view text, std::size_t at) {
  if (at == 0) return true;
  const char before = text[at - 1];
  if (!is_alnum(before) && before != '_') return true;
  return at >= 2 && text[at - 2] == '\\' &&
         std::string_view("bfnrt").find(before) != std::string_view::npos;
}

bool is_placeholder(std::string_view value) {
  std::string lower(value.substr(0, 256));
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; });
  constexpr std::array<std::string_view, 17> words{
      "example", "placeholder", "your-", "your_", "yourkey",  "yourtoken",
      "xxxx",    "....",        "****",  "dummy", "changeme", "redacted",
      "masked",  "<",           "{{",    "${",    "test-key"};
  return std::ranges::any_of(
      words, [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

double entropy(std::string_view value) {
  std::array<unsigned, 256> seen{};
  for (const char c : value) ++seen[static_cast<unsigned char>(c)];
  const auto size = static_cast<double>(value.size());
  double bits = 0;
  for (const unsigned count : seen) {
    if (count == 0) continue;
    const double share = count / size;
    bits -= share * std::log2(share);
  }
  return bits;
}

}  // namespace pievt::secrets
