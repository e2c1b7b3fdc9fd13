#include "tools/exporters/jsonl_lines.h"

#include <array>
#include <charconv>
#include <span>

#include "store/format/hash.h"
#include "tools/exporters/base64.h"
#include "tools/exporters/jsonl.h"
#include "tools/render/utf8.h"

namespace pievt::tools {

void append_number(std::string& lines, std::string_view name, std::uint64_t value) {
  std::array<char, 20> digits;  // NOLINT(cppcoreguidelines-pro-type-member-init): written at once
  lines += name;
  lines.append(digits.data(),
               std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
}

JsonlText::JsonlText(const schema::BlobRef& ref, std::string_view content) : content_(content) {
  const auto digest = std::as_bytes(std::span(ref.digest().bytes()->data(), 32));
  front_.reserve(256);
  front_ = R"({"record":"blob","digest":")";
  front_ += hex(digest);
  front_ += R"(","kind":")";
  front_ += schema::EnumNameBlobKind(ref.kind());
  front_ += R"(","sha256":")";
  front_ += hex(sha256(std::as_bytes(std::span(content))));
  front_ += '"';
}

void JsonlText::append_part(std::string& lines) {
  const std::string_view text = content_.substr(part_, jsonl_part_bytes);
  lines += front_;
  append_number(lines, R"(,"size":)", content_.size());
  append_number(lines, R"(,"offset":)", part_);
  // What JSON can carry so that it comes back byte for byte.
  if (render::is_utf8(text)) {
    lines += R"(,"text":)";
    render::append_json_string(lines, text);
  } else {
    lines += R"(,"base64":")";
    append_base64(lines, std::as_bytes(std::span(text)));
    lines += '"';
  }
  lines += "}\n";
  part_ += text.size();
  over_ = part_ >= content_.size();
}

void JsonlLines::clear() {
  bytes.clear();
  large.clear();
  count = texts_missing = 0;
  end.reset();
}

Status JsonlLines::write(Export& work, const JsonlWindow& window) const {
  const Error full{Errc::io, "what is written to takes no more"};
  std::size_t written = 0;
  std::string part;
  for (const Large& found : large) {
    work.out.write(std::string_view(bytes).substr(written, found.at - written));
    written = found.at;
    const JsonlWindow::Text& is = window.texts[found.text];
    for (JsonlText text(is.ref, window.text_of(is)); !text.is_over();) {
      if (work.out.done()) return full;
      part.clear();
      text.append_part(part);
      work.out.write(part);
      ++work.manifest.items_out;
    }
  }
  work.out.write(std::string_view(bytes).substr(written));
  work.manifest.items_out += count;
  work.miss(texts_missing);
  if (end) return *end;
  if (work.out.done()) return full;
  return {};
}

}  // namespace pievt::tools
