// What events say about where an attempt works and what it changed there.
#include "store/model/fold.h"

namespace pievt {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event

void Fold::operator()(const WorktreeReady& e) {
  if (attempt != nullptr && str(e.error()).empty()) attempt->worktree = str(e.path());
}

void Fold::operator()(const WorktreeRemoved& e) {
  if (attempt != nullptr && str(e.error()).empty()) attempt->worktree.clear();
}

void Fold::operator()(const WritesObserved& e) {
  if (attempt == nullptr) return;
  attempt->writes += e.omitted();
  if (e.commits() != nullptr) attempt->commits += e.commits()->size();
  if (e.writes() == nullptr) return;
  attempt->writes += e.writes()->size();
  for (const Write* write : *e.writes()) {
    if (write->zone() >= WriteZone::outside) ++attempt->writes_outside;
  }
}

}  // namespace pievt
