// Where secrets stand in the texts of a foreign record: each place is told, so that nobody thinks
// that the secret is gone when one of them is. A secret that stands in one text a thousand times is
// told there ten times; `pievt grep` finds the others.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "tools/importers/blob_sink.h"

namespace pievt::tools {

class SecretPlaces {
 public:
  explicit SecretPlaces(const BlobSink& blobs) : blobs_(blobs) {}

  /// What is to be told of `text`, which stands in `where`: a file, a tool, a channel.
  std::vector<schema::SecretFoundT> in(std::string_view text, schema::SecretPlace place,
                                       std::string_view where);

 private:
  const BlobSink& blobs_;
  std::map<std::tuple<schema::SecretPlace, std::string, std::size_t>, std::size_t> told_;
};

}  // namespace pievt::tools
