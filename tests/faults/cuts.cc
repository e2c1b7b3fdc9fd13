#include "tests/faults/cuts.h"

#include <algorithm>

namespace pievt::faults {
namespace {

constexpr std::size_t random_choices = 6;
constexpr std::size_t sector_bytes = 4096;

Choice with(std::size_t count, const auto& keeps) {
  Choice choice;
  for (std::size_t i = 0; i < count; ++i) choice.kept.push_back(keeps(i));
  return choice;
}

std::vector<Choice> subsets(std::size_t count, std::mt19937_64& dice) {
  std::vector<Choice> all;
  if (count <= pieces_all_max) {
    for (std::size_t mask = 0; mask < std::size_t{1} << count; ++mask) {
      all.push_back(with(count, [&](std::size_t i) { return (mask >> i & 1) != 0; }));
    }
    return all;
  }
  for (std::size_t prefix = 0; prefix <= count; ++prefix) {
    all.push_back(with(count, [&](std::size_t i) { return i < prefix; }));
  }
  for (std::size_t one = 0; one < count; ++one) {
    all.push_back(with(count, [&](std::size_t i) { return i != one; }));
    all.push_back(with(count, [&](std::size_t i) { return i == one; }));
  }
  for (std::size_t i = 0; i < random_choices; ++i) {
    all.push_back(with(count, [&](std::size_t) { return (dice() & 1) != 0; }));
  }
  return all;
}

}  // namespace

std::vector<Choice> choices(const std::vector<Disk::Piece>& pending, std::mt19937_64& dice) {
  std::vector<Choice> all = subsets(pending.size(), dice);
  for (std::size_t i = 0; i < pending.size(); ++i) {
    const std::size_t bytes = pending[i].write_bytes;
    if (bytes < 2) continue;
    const auto tear = [&](std::size_t at, bool zeros) {
      if (at == 0 || at >= bytes) return;
      Choice choice = with(pending.size(), [&](std::size_t other) { return other <= i; });
      choice.torn = i;
      choice.bytes = at;
      choice.zeros = zeros;
      if (std::ranges::find(all, choice) == all.end()) all.push_back(choice);
    };
    // A byte, somewhere, all but one; whole sectors; and sectors that came before those before
    // them.
    for (const std::size_t at : {std::size_t{1}, bytes / 2, bytes - 1, sector_bytes,
                                 std::size_t{32 << 10}, dice() % bytes}) {
      tear(at, false);
    }
    tear(sector_bytes, true);
    tear((bytes - 1) / sector_bytes * sector_bytes, true);
  }
  return all;
}

}  // namespace pievt::faults
