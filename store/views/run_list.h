// The projection behind `pievt runs`: one summary a run.
#pragma once

#include <unordered_map>

#include "pievt/projection.h"
#include "pievt/query.h"

namespace pievt {

class RunListView final : public Projection {
 public:
  std::string identity() const override;
  void apply(const EventView& event) override;
  std::vector<std::byte> save() const override;
  Status load(std::span<const std::byte> state) override;

  RunList take() && { return std::move(list_); }

 private:
  RunSummary* find(std::uint32_t stream);

  RunList list_;
  std::unordered_map<std::uint32_t, std::size_t> by_stream_;
  // Events of one run follow each other in bulk.
  std::uint32_t last_stream_ = 0;
  RunSummary* last_ = nullptr;
};

}  // namespace pievt
