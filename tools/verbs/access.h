// What nearly every verb begins with: which store, which run, which job, which moment.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "pievt/log.h"
#include "pievt/query.h"
#include "pievt/result.h"
#include "tools/frame/context.h"
#include "tools/render/listing.h"

namespace pievt::tools {

/// The store the words and the environment name, else the nearest upwards from the working
/// directory.
Result<std::filesystem::path> store_path(const Context& context);

/// That store, for reading. Where a word of the verb that names a run names a sealed file instead,
/// a private store with its run (sealed_store.h).
Result<Log> open_to_read(const Context& context);

/// A thing of a run as people write it: `last`, `last/intro`, `8084d3/intro/2`.
struct Reference {
  std::string run;
  std::optional<std::uint32_t> job;  ///< 0: the run itself (`_probe`)
  std::optional<std::uint32_t> attempt;
};

/// Finds what `word` means. `at` of the context does not matter here: names are looked up in the
/// present. not_found: no such run, job or attempt; the nearest are offered.
Result<Reference> resolve(const Context& context, const Log& log, std::string_view word);

/// The run that `word` means, for a verb that is about whole runs: invalid where the word names a
/// job, with `instead` (a sentence, or nothing) for what to do then.
Result<std::string> whole_run(const Context& context, const Log& log, std::string_view word,
                              std::string_view instead = {});

/// The same for what stands behind a run's name, `intro/2`, in a run whose state is at hand.
Result<Reference> resolve_within(const RunState& run, std::string_view rest);

/// The run's last revision that --at includes; 0 without --at, which means all. An event (`812`,
/// `#812`), a place in the store (`@90812`) or a time. not_found: the moment lies before the run's
/// start.
Result<Revision> moment(const Context& context, const Log& log, std::string_view run);

/// One run at the moment that is asked for, and what of it.
struct Sight {
  Reference reference;
  Revision at;  ///< as moment() gives it
  RunState run;
};

/// resolve(), moment() and load_run() in one; the present state is read once for all of them.
Result<Sight> look(const Context& context, const Log& log, std::string_view word);

/// The line on stderr that says which store, which run and which moment one looks at.
void say_scope(const Context& context, const Log& log, std::string_view run, Revision at);

/// The same choice in the words of render::Listing.
render::ListingFormat listing_format(OutputFormat format);

}  // namespace pievt::tools
