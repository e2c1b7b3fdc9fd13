// One event into the story: when it happened, whom it is about, then what it says.
#include "store/views/story_fold.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "pievt/log.h"
#include "pievt/query.h"

namespace pievt {
namespace story {

Text Texts::keep(std::string_view text) {
  constexpr std::size_t block = 64u << 10;
  if (text.empty()) return {};
  if (text.size() > free_) {
    const std::size_t size = std::max(block, text.size());
    blocks_.push_back(std::make_unique<char[]>(size));
    next_ = blocks_.back().get();
    free_ = size;
  }
  std::memcpy(next_, text.data(), text.size());
  const Text kept(next_, text.size());
  next_ += text.size();
  free_ -= text.size();
  return kept;
}

Text Texts::keep_once(std::string_view text) {
  if (text.empty()) return {};
  if (const auto found = known_.find(text); found != known_.end()) return *found;
  return *known_.insert(keep(text)).first;
}

}  // namespace story

void StoryFold::Impl::apply(const EventView& event) {
  head_ = &event.head();
  const std::uint64_t told = head_->occurred_ns();
  if (const auto* planned = event.envelope->payload_as_RunPlanned()) {
    // A run that comes from another store of ours has its times told, too, and lacks nothing.
    const auto* ruleset = planned->ruleset();
    run.imported =
        told != 0 && (ruleset == nullptr || !ruleset->string_view().starts_with("pievt-"));
  }
  // An event of an imported run without a time of its own happened when its record stood, not when
  // somebody read it.
  now_ = {event.revision().value, told == 0 && run.imported ? run.last.at_ns : event.time_ns()};
  job_ = nullptr;
  attempt_ = nullptr;
  at_ = nullptr;
  const std::uint32_t number = head_->job();
  if (number != 0 && number <= run.jobs.size()) job_ = &run.jobs[number - 1];
  const std::vector<std::uint32_t>* places = number == 0       ? &run.serving
                                             : job_ != nullptr ? &job_->attempts
                                                               : nullptr;
  if (places != nullptr && head_->attempt() != 0 && head_->attempt() <= places->size()) {
    const std::uint32_t place = (*places)[head_->attempt() - 1];
    attempt_ = &run.attempts[place];
    at_ = &progress_[place];
  }
  if (!visit(event, *this)) ++run.unknown_events;
  ++run.events;
  run.last = now_;
}

story::Text StoryFold::Impl::keep(const flatbuffers::String* text) {
  return text == nullptr ? story::Text() : run.texts.keep(text->string_view());
}

story::Text StoryFold::Impl::keep_once(const flatbuffers::String* text) {
  return text == nullptr ? story::Text() : run.texts.keep_once(text->string_view());
}

void StoryFold::Impl::note(std::string_view label, std::string_view text) {
  auto& notes = attempt_ != nullptr ? attempt_->notes : run.notes;
  notes.push_back({now_, run.texts.keep_once(label), run.texts.keep(text)});
}

StoryFold::StoryFold() : impl_(std::make_unique<Impl>()) {}
StoryFold::~StoryFold() = default;
StoryFold::StoryFold(StoryFold&&) noexcept = default;
StoryFold& StoryFold::operator=(StoryFold&&) noexcept = default;

void StoryFold::apply(const EventView& event) {
  impl_->apply(event);
}

const RunStory& StoryFold::story() const {
  return impl_->run;
}

RunStory StoryFold::take() && {
  return std::move(impl_->run);
}

Result<RunStory> fold_story(const Log& log, std::string_view run_id, Revision at) {
  StoryFold fold;
  auto reader = log.read_stream(run_stream(run_id), {1}, at);
  while (reader.next()) fold.apply(reader.event());
  PIEVT_TRY(reader.status());
  if (fold.story().events == 0)
    return Error{Errc::not_found, fmt::format("no run {} in this store; see: pievt runs", run_id)};
  return std::move(fold).take();
}

}  // namespace pievt
