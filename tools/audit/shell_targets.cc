#include "tools/audit/shell_targets.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

namespace pievt::audit {
namespace {

struct Token {
  enum class Kind : std::uint8_t { word, redirect, heredoc, separator } kind = Kind::word;
  std::string text;
  bool known = true;  ///< the shell has nothing to work out in it
};

// Takes a command apart into words and what lies between them. Of here-documents only their end
// is looked for.
class Tokens {
 public:
  explicit Tokens(std::string_view command) : text_(command) {}

  std::optional<Token> next() {
    while (at_ < text_.size() && (here() == ' ' || here() == '\t' || line_goes_on()))
      at_ += line_goes_on() ? 2U : 1U;
    if (at_ >= text_.size()) return std::nullopt;
    if (here() == '#') at_ = std::min(text_.find('\n', at_), text_.size());
    if (at_ >= text_.size()) return std::nullopt;
    if (starts("((")) return arithmetic();
    if (is_separator(here()) && !starts("&>")) return separator();
    if (const std::size_t length = redirect_length(); length > 0) return redirect(length);
    if (starts("<<") && !starts("<<<")) return heredoc();
    if (here() == '<') {
      at_ += starts("<<<") ? 3U : 1U;
      return Token{Token::Kind::separator, "<", true};
    }
    return word();
  }

 private:
  char here() const { return text_[at_]; }
  bool starts(std::string_view with) const { return text_.substr(at_).starts_with(with); }
  bool line_goes_on() const { return starts("\\\n"); }
  static bool is_separator(char c) {
    return c == ';' || c == '|' || c == '&' || c == '\n' || c == '(' || c == ')';
  }
  static bool is_plain(char c) {
    return !is_separator(c) && c != ' ' && c != '\t' && c != '<' && c != '>';
  }

  // There `>` compares.
  Token arithmetic() {
    const std::size_t end = text_.find("))", at_);
    at_ = end == std::string_view::npos ? text_.size() : end + 2;
    return {Token::Kind::word, "", false};
  }

  Token separator() {
    const bool line_ended = here() == '\n';
    ++at_;
    if (line_ended) skip_documents();
    return {Token::Kind::separator, "", true};
  }

  // `>`, `2>>`, `&>`; a number belongs to it only where nothing is between them.
  std::size_t redirect_length() const {
    std::size_t at = at_;
    if (text_[at] == '&') ++at;
    while (at < text_.size() && text_[at] >= '0' && text_[at] <= '9') ++at;
    if (at >= text_.size() || text_[at] != '>') return 0;
    ++at;
    if (at < text_.size() && (text_[at] == '>' || text_[at] == '|')) ++at;
    return at - at_;
  }

  Token redirect(std::size_t length) {
    at_ += length;
    if (at_ < text_.size() && (here() == '&' || here() == '(')) {  // another channel, a process
      ++at_;
      while (at_ < text_.size() && is_plain(here())) ++at_;
      return {Token::Kind::separator, ">&", true};
    }
    return {Token::Kind::redirect, "", true};
  }

  Token heredoc() {
    at_ += starts("<<-") ? 3U : 2U;
    while (at_ < text_.size() && here() == ' ') ++at_;
    if (at_ < text_.size() && is_plain(here())) documents_.push_back(word().text);
    return {Token::Kind::heredoc, "", true};
  }

  void skip_documents() {
    for (const std::string& end : documents_) {
      while (at_ < text_.size()) {
        const std::size_t stop = std::min(text_.find('\n', at_), text_.size());
        std::string_view line = text_.substr(at_, stop - at_);
        line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
        at_ = std::min(stop + 1, text_.size());
        if (line == end) break;
      }
    }
    documents_.clear();
  }

  Token word() {
    Token token;
    for (char quote = 0; at_ < text_.size(); ++at_) {
      const char c = here();
      if (quote == 0 && !is_plain(c)) break;
      if (quote == 0 && (c == '\'' || c == '"')) {
        quote = c;
      } else if (c == quote) {
        quote = 0;
      } else if (c == '\\' && quote != '\'' && at_ + 1 < text_.size()) {
        token.text += text_[++at_];
      } else {
        const bool works_out = quote != '\'' && (c == '$' || c == '`');
        const bool pattern = quote == 0 && (c == '*' || c == '?' || c == '~' || c == '{');
        token.known = token.known && !works_out && !pattern;
        token.text += c;
      }
    }
    return token;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string> documents_;
};

class Targets {
 public:
  void take(const Token& token) {
    using Kind = Token::Kind;
    if (token.kind == Kind::redirect) {
      after_redirect_ = true;
      return;
    }
    if (token.kind != Kind::word) {
      after_redirect_ = false;
      if (token.kind == Kind::separator && token.text.empty()) command_.clear();
      return;
    }
    if (std::exchange(after_redirect_, false)) {
      add(token);
    } else if (command_.empty()) {
      command_ = token.text;
    } else if (command_ == "tee" && !token.text.starts_with('-')) {
      add(token);
    } else if (command_ == "cd") {
      where_ = token.known && where_ ? std::optional(*where_ / token.text) : std::nullopt;
    }
  }

  std::vector<std::string> take_list() { return std::move(list_); }

 private:
  void add(const Token& token) {
    if (!token.known || token.text.empty()) return;
    const std::filesystem::path named(token.text);
    if (named.is_relative() && !where_) return;
    std::string path = (named.is_absolute() ? named : *where_ / named).lexically_normal().string();
    if (path.starts_with("/dev/") || path.ends_with('/')) return;
    if (std::ranges::find(list_, path) == list_.end()) list_.push_back(std::move(path));
  }

  std::string command_;
  bool after_redirect_ = false;
  std::optional<std::filesystem::path> where_ = std::filesystem::path();  ///< nothing: not known
  std::vector<std::string> list_;
};

}  // namespace

std::vector<std::string> shell_targets(std::string_view command) {
  Tokens tokens(command);
  Targets targets;
  while (const auto token = tokens.next()) targets.take(*token);
  return targets.take_list();
}

}  // namespace pievt::audit
