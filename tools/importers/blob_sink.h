// Where texts go while a source is read: into the store, or nowhere in a preview.
#pragma once

#include <memory>
#include <string_view>

#include "pievt/log.h"

namespace pievt::tools {

class BlobSink {
 public:
  /// Null: a preview; references then have a size and no digest.
  explicit BlobSink(Log* log) : log_(log) {}

  Result<std::unique_ptr<schema::BlobRef>> put(std::string_view text, schema::BlobKind kind) {
    if (log_ == nullptr)
      return std::make_unique<schema::BlobRef>(schema::Digest(), text.size(), 0u, kind,
                                               std::uint16_t{0});
    return std::make_unique<schema::BlobRef>(PIEVT_TRY(log_->put_blob(text, kind)));
  }
  /// See Log::keyed_digest.
  std::unique_ptr<schema::Digest> keyed_digest(std::string_view text) const {
    return std::make_unique<schema::Digest>(log_ == nullptr ? schema::Digest()
                                                            : log_->keyed_digest(text));
  }
  Log* log() { return log_; }

 private:
  Log* log_;
};

}  // namespace pievt::tools
