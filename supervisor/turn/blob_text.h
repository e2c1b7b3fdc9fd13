// A body of the store as text: prompts, patches, final messages.
#pragma once

#include <string>

#include "pievt/bytes.h"
#include "pievt/log.h"

namespace pievt::supervisor {

/// Errors as Log::get_blob has them.
inline Result<std::string> blob_text(const Log& log, const schema::BlobRef& ref) {
  const std::vector<std::byte> bytes = PIEVT_TRY(log.get_blob(ref));
  return std::string(text_of(bytes));
}

}  // namespace pievt::supervisor
