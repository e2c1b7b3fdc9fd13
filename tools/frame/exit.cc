// The mapping is a switch without a default, so that the compiler names a new Errc that nobody has
// placed.
#include "tools/frame/exit.h"

#include <algorithm>
#include <array>
#include <functional>

namespace pievt::tools {
namespace {

constexpr std::array exits = {
    ExitRow{Exit::ok, "ok", "it worked, and where a question was asked the answer is yes"},
    ExitRow{Exit::no, "no", "the answer is no: the run failed, the two differ, the job is blocked"},
    ExitRow{Exit::usage, "usage", "the command line or a file it names is wrong; nothing was done"},
    ExitRow{Exit::store, "store",
            "the store cannot be used now: locked, unreadable, out of space, or written by a newer "
            "pievt"},
    ExitRow{Exit::evidence, "evidence",
            "nothing is known to be wrong, but the evidence is incomplete: an unanchored end, a "
            "missing key, a wait whose time is up"},
    ExitRow{Exit::corrupt, "corrupt", "damage or tampering is proven"},
    ExitRow{Exit::not_found, "not_found", "what was named does not exist"},
    ExitRow{Exit::bug, "bug", "pievt itself is wrong; please report what was printed"},
    ExitRow{Exit::interrupted, "interrupted", "stopped by the user"},
};
static_assert(std::ranges::adjacent_find(exits, std::ranges::greater_equal{}, &ExitRow::code) ==
              exits.end());

}  // namespace

std::span<const ExitRow> exit_rows() {
  return exits;
}

Exit exit_for(Errc code) {
  switch (code) {
    case Errc::conflict:
    case Errc::invalid_transition:
      return Exit::no;
    case Errc::invalid:
    case Errc::id_reused:
      return Exit::usage;
    case Errc::busy:
    case Errc::fenced:
    case Errc::too_new:
    case Errc::unsupported:
    case Errc::no_space:
    case Errc::io:
      return Exit::store;
    case Errc::corrupt:
      return Exit::corrupt;
    case Errc::not_found:
      return Exit::not_found;
  }
  return Exit::bug;
}

}  // namespace pievt::tools
