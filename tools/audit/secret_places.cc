#include "tools/audit/secret_places.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "store/format/reflect_blobs.h"
#include "tools/audit/words.h"

namespace pievt::audit {
namespace {

/// What is looked through at most: of a run of a million events that is a part, and said to be one.
constexpr std::size_t texts_max = 100'000;
constexpr std::uint64_t bytes_max = 64u << 20;
constexpr std::size_t secrets_max = 32;
/// Shorter ones would be found where they are none.
constexpr std::uint64_t secret_bytes_min = 8, secret_bytes_max = 64u << 10;

struct Text {
  schema::BlobRef ref;
  std::string where;
  std::uint64_t revision = 0;
  std::uint32_t job = 0, attempt = 0;
};

// What people call the text that an event refers to.
std::string name_of_text(const EventView& event, std::string_view field) {
  std::string name;
  visit(event, overloaded{
                   [&](const schema::ArtifactRecorded& e) {
                     name = text_of(e.path()).empty() ? text_of(e.name()) : text_of(e.path());
                   },
                   [&](const schema::ToolCallStarted& e) {
                     name = fmt::format("{} of {}", field, text_of(e.tool()));
                   },
                   [&](const schema::ToolCallFinished& e) {
                     name = fmt::format("{} of {}", field, text_of(e.tool()));
                   },
               });
  return shortened(name.empty() ? fmt::format("{} of {}", field, type_name(event.type())) : name);
}

class Search {
 public:
  Search(const std::vector<Kept<schema::SecretFoundT>>& secrets, const ReadBlob& read)
      : secrets_(secrets), read_(read), finder_(reflect::Schema::embedded_events()) {}

  Status take(const EventView& event) {
    const std::uint64_t revision = event.revision().value;
    for (std::size_t i = 0; i < secrets_.size(); ++i) {
      if (secrets_[i].revision == revision) learn(i);
    }
    const auto found = PIEVT_TRY(finder_.find(event.body));
    if (found.empty()) return {};
    before_.clear();
    for (const auto& each : found) {
      Text text{each.ref, {}, revision, event.head().job(), event.head().attempt()};
      before_.push_back(text);
      if (texts_.size() >= texts_max || bytes_ + each.ref.size() > bytes_max) {
        cut_ = true;
        continue;
      }
      text.where = name_of_text(event, each.field);
      bytes_ += each.ref.size();
      texts_.push_back(std::move(text));
    }
    return {};
  }

  std::vector<SecretPlaces> finish() {
    std::vector<SecretPlaces> all(secrets_.size());
    for (SecretPlaces& each : all) each.whole = !cut_;
    for (const Text& text : texts_) {
      const auto content = read_(text.ref);
      if (!content.ok()) continue;
      for (const auto& [value, secrets] : values_) {
        const std::uint64_t times = count(text_of(*content), value);
        if (times == 0) continue;
        for (const std::size_t secret : secrets)
          all[secret].places.push_back({text.where, text.revision, text.job, text.attempt, times});
      }
    }
    return all;
  }

 private:
  // The secret was noticed in a text of the event that was told right before.
  void learn(std::size_t place) {
    const auto& secret = secrets_[place];
    const std::uint64_t size = secret.what.size;
    if (secret.what.masked || secret.what.prefix.empty() || values_.size() >= secrets_max ||
        size < secret_bytes_min || size > secret_bytes_max)
      return;
    for (const Text& text : before_) {
      if (text.job != secret.job || text.ref.size() > bytes_max) continue;
      const auto content = read_(text.ref);
      if (!content.ok() || secret.what.offset > content->size()) continue;
      const std::string_view value =
          text_of(*content).substr(secret.what.offset, static_cast<std::size_t>(size));
      if (value.size() != size || !value.starts_with(secret.what.prefix)) continue;
      values_[std::string(value)].push_back(place);
      return;
    }
  }

  static std::uint64_t count(std::string_view text, std::string_view value) {
    std::uint64_t times = 0;
    for (std::size_t at = text.find(value); at != std::string_view::npos;
         at = text.find(value, at + value.size()))
      ++times;
    return times;
  }

  const std::vector<Kept<schema::SecretFoundT>>& secrets_;
  const ReadBlob& read_;
  reflect::BlobFinder finder_;
  std::vector<Text> texts_, before_;
  std::map<std::string, std::vector<std::size_t>> values_;  ///< places in secrets_
  std::uint64_t bytes_ = 0;
  bool cut_ = false;
};

}  // namespace

Result<std::vector<SecretPlaces>> secret_places(
    const std::vector<Kept<schema::SecretFoundT>>& secrets, const WalkEvents& walk,
    const ReadBlob& read) {
  if (std::ranges::all_of(secrets, [](const auto& secret) { return secret.what.masked; }))
    return std::vector<SecretPlaces>(secrets.size());
  Search search(secrets, read);
  PIEVT_TRY(walk([&](const EventView& event) { return search.take(event); }));
  return search.finish();
}

}  // namespace pievt::audit
