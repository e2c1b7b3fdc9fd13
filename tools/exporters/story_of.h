// The story of a run as any source tells it, and which events it is made of.
#pragma once

#include "pievt/run_source.h"
#include "pievt/run_story.h"

namespace pievt::tools {

inline Result<RunStory> story_of(const RunSource& source) {
  StoryFold fold;
  PIEVT_TRY(source.events([&](const EventView& event) -> Status {
    fold.apply(event);
    return {};
  }));
  return std::move(fold).take();
}

/// Events that a span, a mark or a number of the story comes from.
bool carried_by_story(schema::Payload type);

}  // namespace pievt::tools
