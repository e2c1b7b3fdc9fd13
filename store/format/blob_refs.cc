#include "store/format/blob_refs.h"

#include <cstring>

#include "store/format/reflect_walk.h"

namespace pievt {
namespace {

class Collector final : public reflect::Visitor {
 public:
  void begin_object(const reflect::ObjectType& type) override {
    ++depth_;
    if (type.short_name() != "BlobRef") return;
    blob_depth_ = depth_;
    holder_ = field_;
    parts_ = Parts();
  }

  void end_object() override {
    if (depth_-- != blob_depth_) return;
    blob_depth_ = 0;
    found_.push_back({holder_, schema::BlobRef(parts_.digest, parts_.size, parts_.key,
                                               static_cast<schema::BlobKind>(parts_.kind), 0)});
  }

  void begin_array(std::size_t) override {}
  void end_array() override {}

  void field(const reflect::Field& field) override { field_ = field.name; }

  void value(const reflect::Value& value) override {
    if (blob_depth_ == 0) return;
    if (const auto* raw = std::get_if<reflect::Bytes>(&value)) {
      if (raw->bytes.size() == sizeof(parts_.digest)) {
        std::memcpy(&parts_.digest, raw->bytes.data(), sizeof(parts_.digest));
      }
    } else if (const auto* number = std::get_if<std::uint64_t>(&value)) {
      if (field_ == "size") parts_.size = *number;
      if (field_ == "key") parts_.key = static_cast<std::uint32_t>(*number);
    } else if (const auto* kind = std::get_if<reflect::EnumValue>(&value)) {
      parts_.kind = static_cast<std::uint16_t>(kind->number);
    }
  }

  std::vector<FoundBlob> take() { return std::move(found_); }

 private:
  struct Parts {
    schema::Digest digest{};
    std::uint64_t size = 0;
    std::uint32_t key = 0;
    std::uint16_t kind = 0;
  };

  std::vector<FoundBlob> found_;
  std::string field_, holder_;
  Parts parts_;
  int depth_ = 0, blob_depth_ = 0;
};

}  // namespace

Result<std::vector<FoundBlob>> blobs_of(const reflect::Schema& schema,
                                        std::span<const std::byte> body) {
  Collector collector;
  PIEVT_TRY(reflect::walk(schema, body, collector));
  return collector.take();
}

}  // namespace pievt
