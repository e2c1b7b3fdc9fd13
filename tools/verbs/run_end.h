// Whether a run is over, told from its events as they pass: for those who follow a run and stop
// when it has finished. Events may come after its end (a worktree is removed, a hook is done), so
// the last event does not say it; and a finished run may be taken up again.
#pragma once

#include "pievt/event.h"

namespace pievt::tools {

class RunEnd {
 public:
  void see(schema::Payload type) {
    using schema::Payload;
    if (type == Payload::RunFinished) over_ = true;
    if (type == Payload::RunResumed || type == Payload::RunRecovered) over_ = false;
  }
  bool over() const { return over_; }

 private:
  bool over_ = false;
};

}  // namespace pievt::tools
