// A projection: state that is the fold of the log and nothing else, so that it can be deleted at
// any time.
//
//   struct Pauses : Projection {
//     std::size_t count = 0;
//     std::string identity() const override { return "pauses/1"; }
//     void apply(const EventView& event) override { count += is_pause(event); }
//     std::vector<std::byte> save() const override;
//     Status load(std::span<const std::byte> state) override;
//   };
//   Pauses pauses;
//   auto at = catch_up(pauses, log, "pauses");
//
// Two laws hold for every projection, and a test asks them of each one in views/all.h: folding
// twice gives identical bytes, and a saved state plus the events after it gives what folding
// everything gives.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/log.h"

namespace pievt {

class Projection {
 public:
  virtual ~Projection() = default;

  /// Name, code version and, where the state has a schema, its hash. A saved state of another
  /// identity is not used.
  virtual std::string identity() const = 0;

  /// Folds one event. Cannot fail: the event has happened.
  virtual void apply(const EventView& event) = 0;

  /// The state as bytes; equal states give equal bytes.
  virtual std::vector<std::byte> save() const = 0;

  /// Replaces the state. On an error the projection must be as newly made.
  virtual Status load(std::span<const std::byte> state) = 0;
};

/// Brings a newly made projection up to the log's head, or up to `to`: from the saved state under
/// `name` where it fits, else from the first event. Returns the sequence it has reached.
Result<Sequence> catch_up(Projection& projection, const Log& log, std::string_view name,
                          Sequence to = {});

/// Folds on from `after`, where the projection is, to the log's head.
Result<Sequence> fold_tail(Projection& projection, const Log& log, Sequence after,
                           Sequence to = {});

/// Saves the state for the next catch_up.
Status save_projection(Log& log, std::string_view name, const Projection& projection, Sequence at);

}  // namespace pievt
