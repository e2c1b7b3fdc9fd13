// Sealed files where verbs expect runs: `pievt show run.pievt/intro`, `pievt diff old.pievt last`.
//
// Most verbs ask a Log, so a sealed file is opened as one: its run is stored into a private store
// of its own, which is read like any and is gone when the verb is over. Where the verb was killed,
// the next one that opens a sealed file removes what was left: a lock tells it, which the kernel
// gives up with the process. Events that this version does not know are kept there byte for byte.
//
// What needs no Log (export, verify, view) reads the file itself.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/log.h"
#include "tools/frame/context.h"

namespace pievt::tools {

/// A word that names a sealed file and perhaps something in it: `run.pievt/intro/2`.
struct SealedWord {
  std::filesystem::path file;
  std::string rest;  ///< "intro/2"
};
std::optional<SealedWord> sealed_word(std::string_view word);

/// The words of the verb that name runs, of which at least one is a sealed file, and --store where
/// it is one. Empty: there is none.
std::vector<std::string> sealed_words(const Context& context);

/// A private store with the runs that `words` name: those of sealed files, and beside them those of
/// the store there is. Its runs are found by these words (Context::opened).
Result<Log> open_sealed_store(const Context& context, const std::vector<std::string>& words);

}  // namespace pievt::tools
