// Which bodies the events of one schema refer to, for whoever asks it of a million of them: behind
// which fields a BlobRef can lie is found out once, and all others are passed over. blobs_of() asks
// for the same of a single event.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/event.h"
#include "store/format/blob_refs.h"
#include "store/format/reflect.h"

namespace pievt::reflect {

class BlobFinder {
 public:
  /// `schema` must stay where it is for as long.
  explicit BlobFinder(const Schema& schema);

  struct Found {
    std::string_view field;  ///< the name of the field that holds it; lives as long as the finder
    schema::BlobRef ref;
  };

  /// Whether a BlobRef can lie in an event whose payload is `table`, of the same schema. Where none
  /// can, find() does nothing but prove the body.
  bool reaches(const ObjectType& table) const;

  /// As blobs_of(), good until the next call.
  Result<std::span<const Found>> find(std::span<const std::byte> body);

 private:
  using Paths = std::vector<const Field*>;

  std::size_t index_of_type(const ObjectType& type) const;
  bool leads(const Field& field) const;
  void table(std::size_t index, const std::uint8_t* at);
  void structure(std::size_t index, const std::uint8_t* at, std::string_view holder);
  void sequence(const Field& field, const std::uint8_t* at, std::size_t count);
  Result<std::span<const Found>> find_slowly(std::span<const std::byte> body);

  const Schema* schema_;
  std::int32_t blob_ = -1;     ///< BlobRef among the schema's objects
  bool as_ours_ = false;       ///< it lies in memory as this program's does
  std::vector<bool> reaches_;  ///< by object: a BlobRef is it or hangs below it
  std::vector<Paths> paths_;   ///< by object: the fields that lead to one
  std::vector<Found> found_;
  std::set<std::string, std::less<>> names_;  ///< what find_slowly() points to
};

}  // namespace pievt::reflect
