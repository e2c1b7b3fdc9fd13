// What is done about secrets in a run: how they are found, and whether they are told of and masked.
#pragma once

#include "supervisor/secrets/finder.h"

namespace pievt::secrets {

struct Policy {
  Finder finder;
  bool report = true;  ///< SecretFound, once for each secret, place and attempt
  bool mask = false;   ///< texts are stored without them, and a plan that holds one is refused
};

}  // namespace pievt::secrets
