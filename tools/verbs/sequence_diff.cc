#include "tools/verbs/sequence_diff.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include <fmt/format.h>

namespace pievt::tools {
namespace {

using Keys = std::span<const std::uint64_t>;

// Beyond so many differences a shortest script is no longer what anybody wants to read.
constexpr std::size_t differences_max = 1500;

class Aligner {
 public:
  Aligner(Keys a, Keys b) : a_(a), b_(b) {}

  std::vector<Edit> run() {
    align(0, a_.size(), 0, b_.size());
    return std::move(edits_);
  }

 private:
  void add(Edit::Kind kind, std::size_t a, std::size_t b, std::size_t count) {
    if (count == 0) return;
    // Removed before added: an insertion that was told first moves behind.
    if (kind == Edit::Kind::removed && !edits_.empty() && edits_.back().kind == Edit::Kind::added) {
      const Edit added = edits_.back();
      edits_.pop_back();
      add(Edit::Kind::removed, a, added.b, count);
      add(Edit::Kind::added, a + count, added.b, added.count);
      return;
    }
    if (!edits_.empty() && edits_.back().kind == kind) {
      edits_.back().count += count;
      return;
    }
    edits_.push_back({kind, a, b, count});
  }

  void align(std::size_t a, std::size_t a_end, std::size_t b, std::size_t b_end) {
    std::size_t same = 0;
    while (a + same < a_end && b + same < b_end && a_[a + same] == b_[b + same]) ++same;
    add(Edit::Kind::same, a, b, same);
    a += same;
    b += same;
    std::size_t tail = 0;
    while (a_end - tail > a && b_end - tail > b && a_[a_end - tail - 1] == b_[b_end - tail - 1])
      ++tail;
    middle(a, a_end - tail, b, b_end - tail);
    add(Edit::Kind::same, a_end - tail, b_end - tail, tail);
  }

  void middle(std::size_t a, std::size_t a_end, std::size_t b, std::size_t b_end) {
    if (a == a_end || b == b_end) {
      add(Edit::Kind::removed, a, b, a_end - a);
      add(Edit::Kind::added, a_end, b, b_end - b);
      return;
    }
    const auto anchors = anchors_of(a, a_end, b, b_end);
    if (anchors.empty()) {
      if (!shortest(a, a_end, b, b_end)) {
        add(Edit::Kind::removed, a, b, a_end - a);
        add(Edit::Kind::added, a_end, b, b_end - b);
      }
      return;
    }
    for (const auto& [in_a, in_b] : anchors) {
      if (in_a < a || in_b < b) continue;
      align(a, in_a, b, in_b);
      add(Edit::Kind::same, in_a, in_b, 1);
      a = in_a + 1;
      b = in_b + 1;
    }
    align(a, a_end, b, b_end);
  }

  // Pairs of items that occur once on either side, the longest chain of them that is in order.
  std::vector<std::pair<std::size_t, std::size_t>> anchors_of(std::size_t a, std::size_t a_end,
                                                              std::size_t b, std::size_t b_end) {
    struct Seen {
      std::uint32_t in_a = 0, in_b = 0;
      std::size_t at_b = 0;
    };
    std::unordered_map<std::uint64_t, Seen> seen;
    seen.reserve(a_end - a);
    for (std::size_t i = a; i < a_end; ++i) ++seen[a_[i]].in_a;
    for (std::size_t i = b; i < b_end; ++i) {
      if (const auto found = seen.find(b_[i]); found != seen.end()) {
        ++found->second.in_b;
        found->second.at_b = i;
      }
    }
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    for (std::size_t i = a; i < a_end; ++i) {
      const Seen& item = seen[a_[i]];
      if (item.in_a == 1 && item.in_b == 1) pairs.emplace_back(i, item.at_b);
    }
    return longest_increasing(pairs);
  }

  static std::vector<std::pair<std::size_t, std::size_t>> longest_increasing(
      const std::vector<std::pair<std::size_t, std::size_t>>& pairs) {
    constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
    std::vector<std::size_t> ends, before(pairs.size(), none);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const auto at = std::ranges::lower_bound(ends, pairs[i].second, {},
                                               [&](std::size_t j) { return pairs[j].second; });
      if (at != ends.begin()) before[i] = *(at - 1);
      if (at == ends.end()) {
        ends.push_back(i);
      } else {
        *at = i;
      }
    }
    std::vector<std::pair<std::size_t, std::size_t>> chain;
    for (std::size_t i = ends.empty() ? none : ends.back(); i != none; i = before[i])
      chain.push_back(pairs[i]);
    std::ranges::reverse(chain);
    return chain;
  }

  // Myers' greedy algorithm; false where it would take too long.
  bool shortest(std::size_t a, std::size_t a_end, std::size_t b, std::size_t b_end) {
    const auto n = static_cast<std::int64_t>(a_end - a), m = static_cast<std::int64_t>(b_end - b);
    const std::int64_t most = std::min<std::int64_t>(n + m, differences_max);
    std::vector<std::int64_t> reach(static_cast<std::size_t>(2 * most + 3), 0);
    std::vector<std::vector<std::int64_t>> history;
    const auto at = [most](std::int64_t k) { return static_cast<std::size_t>(k + most + 1); };
    for (std::int64_t d = 0; d <= most; ++d) {
      history.emplace_back(reach.begin() + static_cast<std::ptrdiff_t>(at(-d - 1)),
                           reach.begin() + static_cast<std::ptrdiff_t>(at(d + 1)) + 1);
      for (std::int64_t k = -d; k <= d; k += 2) {
        const bool down = k == -d || (k != d && reach[at(k - 1)] < reach[at(k + 1)]);
        std::int64_t x = down ? reach[at(k + 1)] : reach[at(k - 1)] + 1;
        while (x < n && x - k < m &&
               a_[a + static_cast<std::size_t>(x)] == b_[b + static_cast<std::size_t>(x - k)])
          ++x;
        reach[at(k)] = x;
        if (x < n || x - k < m) continue;
        trace(history, a, b, n, m);
        return true;
      }
    }
    return false;
  }

  void trace(const std::vector<std::vector<std::int64_t>>& history, std::size_t a, std::size_t b,
             std::int64_t x, std::int64_t y) {
    std::vector<Edit> back;
    for (auto d = static_cast<std::int64_t>(history.size()) - 1; d >= 0; --d) {
      const auto& reach = history[static_cast<std::size_t>(d)];
      const auto value = [&](std::int64_t k) { return reach[static_cast<std::size_t>(k + d + 1)]; };
      const std::int64_t k = x - y;
      const bool down = k == -d || (k != d && value(k - 1) < value(k + 1));
      const std::int64_t from_k = down ? k + 1 : k - 1;
      const std::int64_t from_x = d == 0 ? 0 : value(from_k);
      const std::int64_t from_y = d == 0 ? 0 : from_x - from_k;
      const std::int64_t start_x = d == 0 ? 0 : down ? from_x : from_x + 1;
      if (x > start_x)
        back.push_back({Edit::Kind::same, a + static_cast<std::size_t>(start_x),
                        b + static_cast<std::size_t>(start_x - k),
                        static_cast<std::size_t>(x - start_x)});
      if (d > 0) {
        back.push_back({down ? Edit::Kind::added : Edit::Kind::removed,
                        a + static_cast<std::size_t>(from_x), b + static_cast<std::size_t>(from_y),
                        1});
      }
      x = from_x;
      y = from_y;
    }
    for (auto edit = back.rbegin(); edit != back.rend(); ++edit)
      add(edit->kind, edit->a, edit->b, edit->count);
  }

  Keys a_, b_;
  std::vector<Edit> edits_;
};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<std::uint64_t> keys_of(const std::vector<std::string_view>& lines) {
  std::vector<std::uint64_t> keys;
  keys.reserve(lines.size());
  for (const std::string_view line : lines) keys.push_back(key_of(line));
  return keys;
}

}  // namespace

std::vector<Edit> align(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  return Aligner(a, b).run();
}

std::uint64_t key_of(std::string_view text, std::uint64_t seed) {
  // FNV-1a with a final mix: fast for short texts, and the same everywhere.
  std::uint64_t key = 14695981039346656037u ^ seed;
  for (const char c : text) key = (key ^ static_cast<unsigned char>(c)) * 1099511628211u;
  key ^= key >> 32;
  key *= 0x9e3779b97f4a7c15u;
  return key ^ (key >> 29);
}

std::vector<std::string> text_difference(std::string_view a, std::string_view b,
                                         std::size_t context) {
  std::vector<std::string> out;
  if (a == b) return out;
  const auto in_a = lines_of(a), in_b = lines_of(b);
  const std::vector<Edit> edits = align(keys_of(in_a), keys_of(in_b));
  for (std::size_t i = 0; i < edits.size(); ++i) {
    const Edit& edit = edits[i];
    if (edit.kind == Edit::Kind::removed) {
      for (std::size_t j = 0; j < edit.count; ++j)
        out.push_back(fmt::format("-{}", in_a[edit.a + j]));
    } else if (edit.kind == Edit::Kind::added) {
      for (std::size_t j = 0; j < edit.count; ++j)
        out.push_back(fmt::format("+{}", in_b[edit.b + j]));
    } else {
      const std::size_t head = i == 0 ? 0 : std::min(context, edit.count);
      for (std::size_t j = 0; j < head; ++j) out.push_back(fmt::format(" {}", in_a[edit.a + j]));
      if (i + 1 == edits.size()) break;
      const std::size_t tail = std::min(context, edit.count - head);
      if (head + tail < edit.count || i == 0)
        out.push_back(fmt::format("@@ -{} +{} @@", edit.a + edit.count - tail + 1,
                                  edit.b + edit.count - tail + 1));
      for (std::size_t j = edit.count - tail; j < edit.count; ++j)
        out.push_back(fmt::format(" {}", in_a[edit.a + j]));
    }
  }
  // Only their last line ends differ.
  if (out.empty() || (edits.size() == 1 && edits.front().kind == Edit::Kind::same))
    out = {"\\ one of them ends without a line feed"};
  return out;
}

}  // namespace pievt::tools
