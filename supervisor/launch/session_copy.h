// The session file that another attempt goes on in: the one before's, and in it the directory the
// new attempt works in. pi believes the directory of an existing session over the one it is started
// in, and refuses to begin where it is gone.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "pievt/result.h"

namespace pievt::launch {

/// `text`: a session file. Its first line's `cwd` becomes `cwd`; the rest stays, byte for byte, but
/// for a last line without its end, which is left out. Errc::invalid when it does not begin with a
/// session header, so that there is nothing to go on with.
Result<std::string> session_for(std::string_view text, const std::string& cwd);

/// Makes the file, which must not be there.
Status write_session(const std::filesystem::path& path, std::string_view text);

}  // namespace pievt::launch
