#include "tools/exporters/jsonl_window.h"

#include <algorithm>

#include "pievt/bytes.h"

namespace pievt::tools {
void JsonlWindow::clear() {
  copies.clear();
  items.clear();
  actors.clear();
  texts.clear();
  awaited_bytes = 0;
  content.clear();
  errors.clear();
  end.reset();
}

Status JsonlReading::look_into(const EventView& event, JsonlWindow& window,
                               JsonlWindow::Item& item) {
  if (actors_.insert(event.stamp->actor()).second) {
    window.actors.push_back(PIEVT_TRY(source_.actor(event.stamp->actor())));
    item.actors_end = window.actors.size();
  }
  for (const auto& found : PIEVT_TRY(EventFacts::blobs(event, *item.shape))) {
    if (found.ref.kind() == schema::BlobKind::output_chunk) continue;
    if (!texts_.insert(found.ref.digest())) continue;
    window.texts.push_back({.ref = found.ref});
    window.awaited_bytes += std::min<std::uint64_t>(found.ref.size(), full_bytes_);
  }
  item.texts_end = window.texts.size();
  return {};
}

bool JsonlReading::add(const EventView& event, JsonlWindow& window) {
  JsonlWindow::Item& item = window.items.emplace_back();
  const EventView& copy = window.copies.add(event);
  item.shape = &facts_.shape(event);
  item.actors_end = window.actors.size();
  item.texts_end = window.texts.size();
  if (Status looked = look_into(copy, window, item); !looked.ok()) {
    window.end = std::move(looked).error();
    return false;
  }
  return window.copies.bytes() < full_bytes_ && window.awaited_bytes < full_bytes_;
}

void JsonlReading::read_texts(JsonlWindow& window) const {
  std::vector<schema::BlobRef> refs;
  refs.reserve(window.texts.size());
  for (const JsonlWindow::Text& text : window.texts) refs.push_back(text.ref);
  window.content.reserve(window.awaited_bytes);
  source_.blobs(refs, [&](std::size_t at, const Result<std::span<const std::byte>>& content) {
    using State = JsonlWindow::Text::State;
    JsonlWindow::Text& text = window.texts[at];
    if (content.ok()) {
      text.state = State::found;
      text.begin = window.content.size();
      text.size = content->size();
      window.content += pievt::text_of(*content);
    } else if (content.error().code != Errc::not_found) {
      text.state = State::unreadable;
      text.error = window.errors.size();
      window.errors.push_back(content.error());
    }
  });
}

}  // namespace pievt::tools
