// Many texts at once. Whoever goes through a run asks for thousands of them, and where a text lies
// in the store has nothing to do with the order of the events that refer to it: asked for one by
// one, each is a search of its own; asked for together, they are read in the order they lie in.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "pievt/log.h"

namespace pievt {

/// Given the position of a reference among those that were asked for, and what Log::get_blob()
/// would have answered. The bytes are good until it returns.
using BlobSink =
    std::function<void(std::size_t at, const Result<std::span<const std::byte>>& content)>;

/// Gives the text of each of `refs` to `sink`: every one once, in any order, from this thread. A
/// text that several of them name is read once. Nothing is read ahead of what is asked for, so
/// memory is what the largest text takes.
void get_blobs(const Log& log, std::span<const schema::BlobRef> refs, const BlobSink& sink);

}  // namespace pievt
