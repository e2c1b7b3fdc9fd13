// Values that have a name in front of them: `password = "…"`, `"api_key": "…"`, `DB_PASSWORD=…`.
// See rules.h.
//
// A program's text is full of such names and almost never of such values, so the value decides: it
// must look made. What is quoted is a value; what is not is one in a line of an environment file
// only, elsewhere it is usually the name of something.
#include <algorithm>
#include <array>
#include <string>

#include "supervisor/secrets/rules.h"

namespace pievt::secrets {
namespace {

struct SecretName {
  std::string_view ending;  ///< of the name in lower case, letters and digits alone
  std::string_view rule;
  bool chosen;  ///< by a person, as passwords are: shorter and less even than what is made
};

constexpr std::array names = {
    SecretName{"password", "password", true},
    SecretName{"passwd", "password", true},
    SecretName{"passphrase", "password", true},
    SecretName{"secret", "secret", true},
    SecretName{"token", "token", false},
    SecretName{"apikey", "api-key", false},
    SecretName{"secretkey", "secret", false},
    SecretName{"accesskey", "secret", false},
    SecretName{"privatekey", "private-key", false},
    SecretName{"signingkey", "secret", false},
    SecretName{"encryptionkey", "secret", false},
    SecretName{"authorization", "authorization", false},
    SecretName{"cookie", "cookie", false},
    SecretName{"credential", "secret", false},
    SecretName{"credentials", "secret", false},
};

constexpr std::size_t name_bytes_max = 64;
constexpr std::size_t value_bytes_max = 1024;

std::string normal(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (is_upper(c)) {
      out += static_cast<char>(c - 'A' + 'a');
    } else if (is_lower(c) || is_digit(c)) {
      out += c;
    }
  }
  return out;
}

const SecretName* find_name(std::string_view name) {
  const std::string plain =
      normal(name.substr(name.size() - std::min(name.size(), name_bytes_max)));
  for (const SecretName& each : names)
    if (plain.ends_with(each.ending)) return &each;
  return nullptr;
}

constexpr bool is_name_char(char c) {
  return is_alnum(c) || c == '_' || c == '-' || c == '.';
}

struct Name {
  std::string_view text;
  bool quoted = false;
  bool begins_line = false;
};

// The name that ends before `at`: `name`, `"name"`, `name `, `\"name\"`, `"a name"`.
Name name_before(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end > 0 && at - end < 4 && text[end - 1] == ' ') --end;
  Name name;
  if (end > 0 && (text[end - 1] == '"' || text[end - 1] == '\'')) {
    name.quoted = true;
    --end;
    if (end > 0 && text[end - 1] == '\\') --end;
  }
  std::size_t begin = end;
  const auto belongs = [&](char c) { return is_name_char(c) || (name.quoted && c == ' '); };
  while (begin > 0 && end - begin < name_bytes_max && belongs(text[begin - 1])) --begin;
  // `\nNAME=`: the letter is the escape's.
  if (begin > 0 && text[begin - 1] == '\\' && begin < end) ++begin;
  name.text = text.substr(begin, end - begin);
  const std::string_view before = text.substr(0, begin);
  name.begins_line = begin == 0 || before.ends_with('\n') || before.ends_with("\\n") ||
                     before.ends_with('"') || before.ends_with(' ') || before.ends_with('\'');
  return name;
}

struct Value {
  std::size_t begin = 0, end = 0;
  bool quoted = false;
};

Value value_behind(std::string_view text, std::size_t at) {
  std::size_t begin = at + 1;
  while (begin < text.size() && begin - at < 4 && text[begin] == ' ') ++begin;
  Value value;
  if (text.substr(begin).starts_with("\\\"")) ++begin;
  char quote = 0;
  if (begin < text.size() && (text[begin] == '"' || text[begin] == '\'')) quote = text[begin++];
  value.quoted = quote != 0;
  std::size_t end = begin;
  const std::size_t limit = std::min(text.size(), begin + value_bytes_max);
  constexpr std::string_view ends = " \t\r\n\"'`\\,;()[]{}<>&|";
  while (end < limit && (quote != 0 ? text[end] != quote && text[end] != '\\' && text[end] != '\n'
                                    : ends.find(text[end]) == std::string_view::npos))
    ++end;
  value.begin = begin;
  value.end = end;
  return value;
}

struct Classes {
  bool lower = false, upper = false, digit = false, symbol = false;
  int count() const { return int{lower} + int{upper} + int{digit} + int{symbol}; }
};

Classes classes_of(std::string_view value) {
  Classes out;
  for (const char c : value) {
    out.lower = out.lower || is_lower(c);
    out.upper = out.upper || is_upper(c);
    out.digit = out.digit || is_digit(c);
    out.symbol = out.symbol || !is_alnum(c);
  }
  return out;
}

// `process.env.TOKEN`, `self.token2`, `getToken`: what a program calls things.
bool is_identifier(std::string_view value) {
  return std::ranges::all_of(value, [](char c) { return is_alnum(c) || c == '_' || c == '.'; }) &&
         !is_digit(value[0]);
}

bool is_secret_value(const SecretName& name, std::string_view value, bool quoted) {
  if (value.empty() || is_placeholder(value) || value[0] == '$' || value[0] == '%' ||
      value[0] == '/' || value[0] == '~' || value.find("://") != std::string_view::npos)
    return false;
  const Classes classes = classes_of(value);
  if (value.find(' ') != std::string_view::npos) return false;  // a sentence
  if (name.chosen) {
    if (value.size() < 6 || classes.count() < 2 || !(classes.digit || classes.symbol)) return false;
    // `password-field`, `db_password`: words and what joins them.
    const bool words = !classes.digit && std::ranges::all_of(value, [](char c) {
      return is_lower(c) || is_upper(c) || c == '-' || c == '_' || c == '.';
    });
    return !words && (quoted || !is_identifier(value) || entropy(value) >= 3.0);
  }
  constexpr std::size_t made_min = 16;
  constexpr double bits_min = 3.2;
  return value.size() >= made_min && classes.digit && (classes.lower || classes.upper) &&
         entropy(value) >= bits_min;
}

}  // namespace

std::string_view secret_name(std::string_view name) {
  const SecretName* found = find_name(name);
  return found == nullptr ? std::string_view() : found->rule;
}

std::optional<Stretch> named_value_at(std::string_view text, std::size_t at) {
  // `==`, `=>`, `::`, `:=` and the like compare, map or belong to a name.
  const char next = at + 1 < text.size() ? text[at + 1] : ' ';
  const char before = at > 0 ? text[at - 1] : ' ';
  if (next == '=' || next == '>' || next == ':' || before == '=' || before == '!' || before == ':')
    return std::nullopt;
  const Name name = name_before(text, at);
  if (name.text.size() < 5) return std::nullopt;
  const SecretName* known = find_name(name.text);
  if (known == nullptr) return std::nullopt;
  Value value = value_behind(text, at);
  std::string_view content = text.substr(value.begin, value.end - value.begin);
  // `Authorization: Basic dXNl…`: the scheme is no secret.
  if (known->rule == "authorization") {
    for (const std::string_view scheme : {"Basic", "Token", "basic", "token"}) {
      if (!text.substr(value.begin).starts_with(scheme)) continue;
      const std::size_t gap = value.begin + scheme.size();
      if (gap >= text.size() || text[gap] != ' ') continue;
      Value inner = value_behind(text, gap);
      inner.end = std::min(inner.end, text.find_first_of("\"'\\ ", inner.begin));
      if (inner.end > text.size()) inner.end = text.size();
      content = text.substr(inner.begin, inner.end - inner.begin);
      value = inner;
      if (content.size() >= 8 && !is_placeholder(content))
        return Stretch{known->rule, value.begin, value.end};
    }
  }
  // Outside quotes a value is one where a line of an environment file or an option has it.
  const bool shouting = std::ranges::none_of(name.text, is_lower);
  if (!value.quoted && !(text[at] == '=' && name.begins_line) && !shouting &&
      is_identifier(content.empty() ? "x" : content))
    return std::nullopt;
  if (!is_secret_value(*known, content, value.quoted)) return std::nullopt;
  return Stretch{known->rule, value.begin, value.end};
}

}  // namespace pievt::secrets
