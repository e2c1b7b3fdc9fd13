#include "tools/importers/secret_places.h"

#include <functional>

#include "tools/importers/harmless_line.h"

namespace pievt::tools {
namespace {

constexpr std::size_t places_of_one_secret = 10;

}  // namespace

std::vector<schema::SecretFoundT> SecretPlaces::in(std::string_view text, schema::SecretPlace place,
                                                   std::string_view where) {
  std::vector<schema::SecretFoundT> all;
  for (schema::SecretFoundT& found : secrets_in(text)) {
    const std::string_view secret = text.substr(found.offset, found.size);
    const std::size_t hash = std::hash<std::string_view>{}(secret);
    if (++told_[{place, std::string(where), hash}] > places_of_one_secret) continue;
    found.place = place;
    found.where = std::string(where);
    found.digest = blobs_.keyed_digest(secret);
    all.push_back(std::move(found));
  }
  return all;
}

}  // namespace pievt::tools
