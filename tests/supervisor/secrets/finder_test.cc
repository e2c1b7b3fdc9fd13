// What is found, what is left alone, and that nothing of a secret is left once it is masked.
//
// The keys here are made up on the spot from a fixed sequence, so that this file holds none.
#include "supervisor/secrets/finder.h"

#include <cstdlib>
#include <span>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "supervisor/plan/canonical.h"
#include "supervisor/plan/disk_files.h"
#include "supervisor/plan/json_tree.h"

namespace pievt::secrets {
namespace {

using testing::HasSubstr;
using testing::Not;

// Letters and digits without a pattern; the same for the same seed.
std::string made(std::size_t size, std::uint64_t seed = 1,
                 std::string_view alphabet = "aB3cD4eF5gH6iJ7kL8mN9oP0qRsTuVwXyZ12") {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    out += alphabet[(seed >> 33) % alphabet.size()];
  }
  return out;
}

std::string rules_of(std::string_view text, const Finder& finder = Finder()) {
  std::string out;
  for (const Found& found : finder.find(text)) out += (out.empty() ? "" : " ") + found.rule;
  return out;
}

TEST(Secrets, WellKnownKeysAreFoundByTheirForm) {
  const std::string upper = made(16, 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
  const struct {
    std::string key, rule;
  } cases[] = {
      {"sk-ant-api03-" + made(40), "anthropic-key"},
      {"sk-proj-" + made(48), "openai-key"},
      {"sk-" + made(48), "api-key"},
      {"sk-or-v1-" + made(64, 2, "0123456789abcdef"), "openrouter-key"},
      {"ghp_" + made(36), "github-token"},
      {"github_pat_" + made(60), "github-token"},
      {"glpat-" + made(20), "gitlab-token"},
      {"AKIA" + upper, "aws-access-key"},
      {"AIza" + made(35), "google-key"},
      {"xoxb-" + made(30), "slack-token"},
      {"sk_live_" + made(24), "stripe-key"},
      {"npm_" + made(36), "npm-token"},
      {"hf_" + made(34), "huggingface-token"},
      {"gsk_" + made(52), "groq-key"},
      {"eyJ" + made(30) + ".eyJ" + made(40) + "." + made(43), "jwt"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(rules_of(each.key), each.rule) << each.key;
    EXPECT_EQ(rules_of("use '" + each.key + "' now"), each.rule);
    EXPECT_EQ(rules_of("key:\\n" + each.key + "\\n"), each.rule) << "behind a JSON escape";
    EXPECT_EQ(rules_of("a" + each.key), "") << "a part of a longer word";
    const Finder finder;
    EXPECT_THAT(masked("x " + each.key + " y", finder.find("x " + each.key + " y")),
                fmt::format("x [masked {}] y", each.rule));
  }
}

TEST(Secrets, AKeyBehindANameIsCalledByItsForm) {
  EXPECT_EQ(rules_of("ANTHROPIC_API_KEY=sk-ant-api03-" + made(40)), "anthropic-key");
  EXPECT_EQ(rules_of(R"({"token": "ghp_)" + made(36) + "\"}"), "github-token");
}

TEST(Secrets, ValuesBehindANameMustLookMade) {
  EXPECT_EQ(rules_of("DB_PASSWORD=hunter2!x"), "password");
  EXPECT_EQ(rules_of(R"({"password":"hunter2"})"), "password");
  EXPECT_EQ(rules_of(R"({"command":"login --password=\"Tr0ub4dor&3\""})"), "password");
  EXPECT_EQ(rules_of("api_key: '" + made(32) + "'"), "api-key");
  EXPECT_EQ(rules_of("export MY_ACCESS_KEY=" + made(40)), "secret");
  EXPECT_EQ(rules_of("Authorization: Bearer " + made(32)), "bearer-token");
  EXPECT_EQ(rules_of("authorization: Basic dXNlcjpwYXNzd29yZDEy"), "authorization");
  EXPECT_EQ(rules_of("postgres://app:s3cr3tpw@db:5432/x"), "url-password");
}

TEST(Secrets, PrivateKeysGoFromBeginToEnd) {
  const std::string key = "-----BEGIN RSA PRIVATE KEY-----\n" + made(64) + "\n" + made(64, 2) +
                          "\n-----END RSA PRIVATE KEY-----";
  EXPECT_EQ(masked("a\n" + key + "\nb", Finder().find("a\n" + key + "\nb")),
            "a\n[masked private-key]\nb");
  const std::string cut = key.substr(0, 120);
  EXPECT_EQ(masked(cut, Finder().find(cut)), "[masked private-key]");
  EXPECT_EQ(rules_of("-----BEGIN PUBLIC KEY-----\n" + made(64)), "");
  EXPECT_EQ(rules_of("if (text.includes('-----BEGIN PRIVATE KEY-----')) {"), "");
}

// What programs, documents and logs are full of.
TEST(Secrets, OrdinaryTextIsLeftAlone) {
  const std::string_view quiet[] = {
      "password: string;",
      "const token = await getToken();",
      "token = process.env.GITHUB_TOKEN",
      "API_KEY=$OPENAI_API_KEY",
      "apiKey: config.apiKey,",
      "export OPENAI_API_KEY=your-key-here-1234567890",
      "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
      "sk-ant-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      "sk-ant-...",
      "password=<password>",
      R"("max_tokens": 16384, "tokenizer": "bert-base-uncased-2019-v1")",
      "total_tokens: 1234567890123456",
      "https://user:password@example.org/",
      "https://user:${PASSWORD}@host/",
      "http://localhost:8080@x",
      "the secret: nobody reads this",
      "password_field = 'db_password'",
      "if (password == other.password2) return;",
      "commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
      "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "550e8400-e29b-41d4-a716-446655440000",
      "task-list-with-a-very-long-name-that-goes-on-and-on-1",
      "risk-assessment-2024-abcdefghijklmnopqrstuvwxyz0123456789",
      "integrity sha512-gXQh3SaZmWTfVMc4Ao5+LGbVeKvzyO7tolok0nLsZgq9nGjZx/EEU3NM8C+qUnB4Nvs2rswG==",
      "Bearer of bad news arrives at 12",
      "password:\n  type: string\n  minLength: 12",
      "token: /usr/share/tokens/default-token-1",
      "auth_token_url = https://login.example.org/oauth2/v2/token",
  };
  for (const std::string_view text : quiet) EXPECT_EQ(rules_of(text), "") << text;
}

// What pi-jobs hid of a tool's arguments it hid by the name alone, whatever the value. Here a value
// that looks made is hidden under every one of those names, and numbers and words are left.
TEST(Secrets, NamesThatPiJobsHidAreKnown) {
  const std::string_view names[] = {"access_token",  "githubToken", "secret_key", "sessionCookie",
                                    "x-api-key",     "API_KEY",     "api key",    "password",
                                    "Authorization", "token"};
  const std::string_view theirs_are_missed[] = {"passwd", "privateKey", "credential"};
  const auto line = [](std::string_view name, const std::string& value) {
    return fmt::format("{{\"a\":1,\"{}\":\"{}\"}}", name, value);
  };
  for (const auto list : {std::span<const std::string_view>(names),
                          std::span<const std::string_view>(theirs_are_missed)}) {
    for (const std::string_view name : list) {
      const std::string value = made(32);
      const std::string seen = line(name, value);
      EXPECT_THAT(masked(seen, Finder().find(seen)), Not(HasSubstr(value))) << name;
    }
  }
  for (const std::string_view name : {"tokenizer", "max_tokens", "tokens", "cookies_allowed"}) {
    EXPECT_EQ(rules_of(line(name, made(32))), "") << name;
  }
  EXPECT_EQ(rules_of(line("token", "x")), "") << "nobody's secret is one letter";

  // All names of the recorded cases are among these.
  const char* beside = std::getenv("PIEVT_SHARED");
  plan::DiskFiles files(beside != nullptr ? beside : PIEVT_SOURCE_DIR "/../shared");
  const auto recorded = files.read("fixtures/pi-jobs/vectors/redaction.json", std::size_t{1} << 20);
  if (!recorded.ok()) GTEST_SKIP() << "the recorded cases are not beside the checkout";
  plan::Problems problems;
  const plan::Source source("redaction.json", *recorded);
  const auto tree = plan::JsonTree::parse(source, problems);
  ASSERT_TRUE(tree);
  std::size_t hidden = 0;
  for (const plan::JsonView one : tree->root()) {
    const std::string out(one.find("out")->string());
    for (std::size_t at = 0; (at = out.find("\":\"[REDACTED]\"", at)) != std::string::npos; ++at) {
      const std::size_t from = out.rfind('"', at - 1) + 1;
      EXPECT_THAT(names, testing::Contains(out.substr(from, at - from)));
      ++hidden;
    }
  }
  EXPECT_GE(hidden, 7u);
}

TEST(Secrets, OurOwnSourceHasNone) {
  plan::DiskFiles files(PIEVT_SOURCE_DIR);
  std::string found;
  for (const char* pattern :
       {"supervisor/**/*.cc", "store/**/*.cc", "docs/*.md", "tools/**/*.cc"}) {
    const auto paths = files.glob(pattern, 10'000);
    ASSERT_TRUE(paths.ok());
    for (const std::string& path : *paths) {
      const auto text = files.read(path, std::size_t{4} << 20);
      ASSERT_TRUE(text.ok()) << path;
      for (const Found& each : Finder().find(*text))
        found += fmt::format("{}: {} {}\n", path, each.rule, text->substr(each.offset, each.size));
    }
  }
  EXPECT_EQ(found, "");
}

TEST(Secrets, TheSupervisorsOwnKeysAreFoundByTheirValue) {
  const Finder finder(
      {{"ACME_KEY", "correct-horse-battery"}, {"ODD", "a\"b\\c-12345"}, {"S", "x"}});
  EXPECT_EQ(rules_of("echo correct-horse-battery > f", finder), "value of ACME_KEY");
  EXPECT_EQ(rules_of(R"({"c": "echo a\"b\\c-12345"})", finder), "value of ODD");
  EXPECT_EQ(rules_of("x marks the spot", finder), "");
  EXPECT_EQ(rules_of("password=correct-horse-battery", finder), "value of ACME_KEY");
}

TEST(Secrets, WhichVariablesAreSecret) {
  EXPECT_TRUE(is_secret_variable("GITHUB_TOKEN", "abcdefgh12"));
  EXPECT_TRUE(is_secret_variable("OPENAI_API_KEY", "local-key-1"));
  EXPECT_TRUE(is_secret_variable("DEPLOY_KEY", "abcdefgh12345"));
  EXPECT_FALSE(is_secret_variable("AWS_REGION", "eu-central-1"));
  EXPECT_FALSE(is_secret_variable("SSH_KEY", "/home/me/.ssh/id"));
  EXPECT_FALSE(is_secret_variable("GITHUB_TOKEN", "short"));
  EXPECT_FALSE(is_secret_variable("TOKEN_URL", "https://login.example.org"));
}

// Laws over texts made of secrets and noise: nothing of a secret survives, what was JSON still is,
// findings are ordered, and a masked text has none.
TEST(Secrets, MaskingLeavesNothingAndBreaksNothing) {
  const Finder finder(std::vector<KnownSecret>{{"ACME_KEY", "correct-horse\"battery"}});
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const std::string keys[] = {"sk-ant-" + made(40, seed), "ghp_" + made(36, seed + 1),
                                "correct-horse\"battery", "AIza" + made(35, seed + 2)};
    std::string text;
    for (unsigned i = 0; i < 12; ++i) {
      text += made(seed * (i + 1) % 7 + 1, seed + i, "abc {}\n\"\\:=/'") + " ";
      if ((seed >> i) % 3 == 0) text += keys[(seed + i) % 4];
      text += " ";
    }
    const std::string json = plan::json_text(text);
    for (const std::string& form : {text, json}) {
      const std::vector<Found> found = finder.find(form);
      for (std::size_t i = 1; i < found.size(); ++i)
        ASSERT_LE(found[i - 1].offset + found[i - 1].size, found[i].offset);
      const std::string clean = masked(form, found);
      for (const std::string& key : keys) ASSERT_THAT(clean, Not(HasSubstr(key))) << form;
      ASSERT_EQ(finder.find(clean).size(), 0u) << clean;
    }
    plan::Problems problems;
    const plan::Source source("x", masked(json, finder.find(json)));
    ASSERT_TRUE(plan::JsonTree::parse(source, problems)) << source.text();
  }
}

TEST(Secrets, AnyBytesAreText) {
  const Finder finder(std::vector<KnownSecret>{{"K", "12345678"}});
  const std::string_view anchors[] = {"sk-",       "://",  "Bearer ", "-----BEGIN ", "eyJ",
                                      "password=", "\\\"", "\"",      ":",           "="};
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    std::string text;
    for (unsigned i = 0; i < 20; ++i) {
      text += anchors[(seed * 31 + i * 17) % std::size(anchors)];
      text += made((seed + i) % 5, seed + i, std::string_view("\0\\\"a1 \xff", 7));
    }
    std::size_t end = 0;
    for (const Found& found : finder.find(text)) {
      ASSERT_GE(found.offset, end);
      end = found.offset + found.size;
      ASSERT_LE(end, text.size());
    }
  }
}

}  // namespace
}  // namespace pievt::secrets
