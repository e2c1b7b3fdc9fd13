// See event_parser.h. A line is first read into `Fields`, whatever its type, then turned into the
// observation of that type (event_fields.cc): so neither the order of the keys nor unknown keys
// matter.
//
// Values of an unexpected but valid JSON type read as absent (a later pi may change one); a token
// that is no JSON at all makes the whole line unparsable.
#include "supervisor/pi/event_parser.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "supervisor/pi/event_fields.h"
#include "supervisor/pi/limits.h"
#include "supervisor/pi/text.h"
#include "supervisor/pi/vocabulary.h"

namespace pievt::pi {

namespace {

namespace ondemand = simdjson::ondemand;

// Reads values and remembers whether one of them was no JSON.
class Reader {
 public:
  bool broken() const { return broken_; }

  bool is_object(ondemand::value value) { return token_of(value).starts_with('{'); }

  std::string text(ondemand::value value) {
    const std::string_view token = token_of(value);
    return token.starts_with('"') ? decode_json_string(token) : std::string{};
  }

  std::optional<std::uint64_t> count(ondemand::value value) {
    const std::string_view token = token_of(value);
    if (!is_number(token)) return std::nullopt;
    const auto number = json_count(token);
    if (!number) broken_ = true;
    return number;
  }

  std::optional<int> small_integer(ondemand::value value) {
    const std::string_view token = token_of(value);
    if (!is_number(token)) return std::nullopt;
    const auto number = json_number(token);
    if (!number) broken_ = true;
    using Limits = std::numeric_limits<int>;
    return static_cast<int>(
        std::clamp<double>(number.value_or(0), Limits::lowest(), Limits::max()));
  }

  std::int64_t money(ondemand::value value) {
    const std::string_view token = token_of(value);
    if (!is_number(token)) return 0;
    const auto number = json_number(token);
    if (!number) broken_ = true;
    return nano_dollars(number.value_or(0));
  }

  std::optional<bool> flag(ondemand::value value) {
    const std::string_view token = token_of(value);
    if (token.starts_with("true")) return true;
    if (token.starts_with("false")) return false;
    return std::nullopt;
  }

  std::string raw(ondemand::value value) {
    token_of(value);
    if (broken_) return {};
    std::string_view json;
    if (simdjson::to_json_string(value).get(json)) {
      broken_ = true;
      return {};
    }
    return std::string{json};
  }

  // Calls visit(key, value) for each field if `value` is an object.
  template <class Visit>
  void each_field(ondemand::value value, Visit&& visit) {
    if (!is_object(value)) return;
    ondemand::object object;
    if (value.get_object().get(object)) {
      broken_ = true;
      return;
    }
    each_field(object, visit);
  }

  template <class Visit>
  void each_field(ondemand::object& object, Visit&& visit) {
    for (auto field : object) {
      std::string_view key;
      ondemand::value value;
      if (field.unescaped_key().get(key) || field.value().get(value)) broken_ = true;
      if (broken_) return;
      visit(key, value);
      if (broken_) return;
    }
  }

  // Calls visit(value) for each element if `value` is an array.
  template <class Visit>
  void each_element(ondemand::value value, Visit&& visit) {
    if (!token_of(value).starts_with('[')) return;
    ondemand::array array;
    if (value.get_array().get(array)) {
      broken_ = true;
      return;
    }
    for (auto element : array) {
      ondemand::value item;
      if (element.get(item)) broken_ = true;
      if (broken_) return;
      visit(item);
      if (broken_) return;
    }
  }

 private:
  static bool is_number(std::string_view token) {
    return !token.empty() &&
           (token.front() == '-' || (token.front() >= '0' && token.front() <= '9'));
  }

  std::string_view token_of(ondemand::value& value) {
    const std::string_view token = value.raw_json_token();
    constexpr std::array<std::string_view, 6> beginnings = {"\"",   "{",     "[",
                                                            "true", "false", "null"};
    const bool json = is_number(token) || std::ranges::any_of(beginnings, [token](auto beginning) {
                        return token.starts_with(beginning);
                      });
    if (!json) broken_ = true;
    return token;
  }

  bool broken_ = false;
};

void count_block(ContentCounts& counts, std::string_view type) {
  if (type == "text") {
    counts.text += 1;
  } else if (type == "thinking") {
    counts.thinking += 1;
  } else if (type == "toolCall") {
    counts.tool_calls += 1;
  } else if (type == "image") {
    counts.images += 1;
  } else {
    counts.other += 1;
  }
}

struct Content {
  ContentCounts counts;
  std::string text;
  std::uint64_t thinking_bytes = 0;
};

// A message's content is an array of blocks, or (a system prompt, an old session) one string.
Content read_content(Reader& reader, ondemand::value value) {
  Content content;
  content.text = reader.text(value);
  if (!content.text.empty()) content.counts.text = 1;
  reader.each_element(value, [&](ondemand::value block) {
    std::string type;
    std::string text;
    reader.each_field(block, [&](std::string_view key, ondemand::value field) {
      if (key == "type") type = reader.text(field);
      if (key == "text") text = reader.text(field);
      if (key == "thinking") content.thinking_bytes += reader.text(field).size();
    });
    count_block(content.counts, type);
    if (type == "text") content.text += text;
  });
  return content;
}

Cost read_cost(Reader& reader, ondemand::value value) {
  Cost cost;
  reader.each_field(value, [&](std::string_view key, ondemand::value field) {
    if (key == "input") cost.input_nano_usd = reader.money(field);
    if (key == "output") cost.output_nano_usd = reader.money(field);
    if (key == "cacheRead") cost.cache_read_nano_usd = reader.money(field);
    if (key == "cacheWrite") cost.cache_write_nano_usd = reader.money(field);
    if (key == "total") cost.total_nano_usd = reader.money(field);
  });
  return cost;
}

std::optional<Usage> read_usage(Reader& reader, ondemand::value value) {
  if (!reader.is_object(value)) return std::nullopt;
  Usage usage;
  reader.each_field(value, [&](std::string_view key, ondemand::value field) {
    if (key == "input") usage.input = reader.count(field).value_or(0);
    if (key == "output") usage.output = reader.count(field).value_or(0);
    if (key == "cacheRead") usage.cache_read = reader.count(field).value_or(0);
    if (key == "cacheWrite") usage.cache_write = reader.count(field).value_or(0);
    if (key == "totalTokens") usage.total_tokens = reader.count(field).value_or(0);
    if (key == "reasoning") usage.reasoning = reader.count(field);
    if (key == "cost") usage.cost = read_cost(reader, field);
  });
  return usage;
}

MessageEnded read_message(Reader& reader, ondemand::value value) {
  MessageEnded message;
  reader.each_field(value, [&](std::string_view key, ondemand::value field) {
    if (key == "role") message.role = role_of(reader.text(field));
    if (key == "content") {
      Content content = read_content(reader, field);
      message.content = content.counts;
      message.text = std::move(content.text);
      message.thinking_bytes = content.thinking_bytes;
    }
    if (key == "stopReason") {
      message.stop_reason_text = reader.text(field);
      message.stop_reason = stop_reason_of(message.stop_reason_text);
    }
    if (key == "rawStopReason") message.raw_stop_reason = reader.text(field);
    if (key == "errorMessage") message.error_message = reader.text(field);
    if (key == "usage") message.usage = read_usage(reader, field);
    if (key == "model") message.model = reader.text(field);
    if (key == "responseModel") message.response_model = reader.text(field);
    if (key == "provider") message.provider = reader.text(field);
    if (key == "api") message.api = reader.text(field);
    if (key == "timestamp") message.timestamp_ms = reader.count(field).value_or(0);
    if (key == "durationMs") message.duration_ms = reader.count(field);
  });
  return message;
}

// The parts of a tool's result; call, name and outcome stand beside it in the event.
ToolEnded read_tool_result(Reader& reader, ondemand::value value) {
  ToolEnded result;
  reader.each_field(value, [&](std::string_view key, ondemand::value field) {
    if (key == "content") result.text = read_content(reader, field).text;
    if (key == "details") result.details_json = reader.raw(field);
    if (key == "structuredContent") {
      reader.each_field(field, [&](std::string_view name, ondemand::value part) {
        if (name == "exit_code") result.exit_code = reader.small_integer(part);
      });
    }
  });
  return result;
}

void read_field(Reader& reader, Fields& fields, std::string_view key, ondemand::value value) {
  if (key == "type") fields.type = reader.text(value);
  if (key == "id") fields.id = reader.text(value);
  if (key == "version") fields.version = reader.count(value).value_or(0);
  if (key == "cwd") fields.cwd = reader.text(value);
  if (key == "timestamp") fields.timestamp = reader.text(value);
  if (key == "message" && fields.wants_message()) fields.message = read_message(reader, value);
  if (key == "toolCallId") fields.call_id = reader.text(value);
  if (key == "toolName") fields.tool_name = reader.text(value);
  if (key == "args") fields.args_json = reader.raw(value);
  if (key == "result" && fields.wants_tool_result()) {
    fields.tool_result = read_tool_result(reader, value);
  }
  if (key == "isError") fields.is_error = reader.flag(value);
  if (key == "durationMs") fields.duration_ms = reader.count(value);
  if (key == "attempt") fields.attempt = reader.count(value).value_or(0);
  if (key == "maxAttempts") fields.attempts_max = reader.count(value).value_or(0);
  if (key == "delayMs") fields.delay_ms = reader.count(value).value_or(0);
  if (key == "errorMessage") fields.error_message = reader.text(value);
  if (key == "finalError") fields.final_error = reader.text(value);
  if (key == "success") fields.success = reader.flag(value);
  if (key == "reason") fields.reason = reader.text(value);
  if (key == "aborted") fields.aborted = reader.flag(value);
  if (key == "willRetry") fields.will_retry = reader.flag(value);
}

}  // namespace

// simdjson reads up to 64 bytes beyond the end, so a line is copied into a buffer that has them.
// They are zeroed: the reader decides by the first of them whether brackets must be counted.
struct EventParser::Buffers {
  ondemand::parser parser;
  std::vector<char> padded;

  std::optional<Fields> read(std::string_view line);
  void release_if_large();
};

std::optional<Fields> EventParser::Buffers::read(std::string_view line) {
  const std::size_t needed = line.size() + simdjson::SIMDJSON_PADDING;
  if (padded.size() < needed) padded.resize(std::bit_ceil(needed));
  std::ranges::copy(line, padded.begin());
  std::fill_n(padded.begin() + static_cast<std::ptrdiff_t>(line.size()), simdjson::SIMDJSON_PADDING,
              '\0');

  ondemand::document document;
  ondemand::object root;
  const simdjson::padded_string_view view{padded.data(), line.size(), padded.size()};
  if (parser.iterate(view).get(document) || document.get_object().get(root)) return std::nullopt;
  Reader reader;
  Fields fields;
  reader.each_field(root, [&](std::string_view key, ondemand::value value) {
    read_field(reader, fields, key, value);
  });
  const bool at_end = document.current_location().error() == simdjson::OUT_OF_BOUNDS;
  if (reader.broken() || !at_end || fields.type.value_or("").empty()) return std::nullopt;
  return fields;
}

void EventParser::Buffers::release_if_large() {
  if (padded.size() <= limits::retained_buffer_size_max) return;
  padded = {};
  parser = ondemand::parser{};
}

EventParser::EventParser() : buffers_(std::make_unique<Buffers>()) {}
EventParser::EventParser(EventParser&&) noexcept = default;
EventParser& EventParser::operator=(EventParser&&) noexcept = default;
EventParser::~EventParser() = default;

std::optional<Observation> EventParser::event(std::string_view line, LineStart at) {
  std::optional<Fields> fields = buffers_->read(line);
  buffers_->release_if_large();
  if (!fields) return std::nullopt;
  return observation_from(std::move(*fields), at);
}

std::optional<SessionEntry> EventParser::session_entry(std::string_view line) {
  std::optional<Fields> fields = buffers_->read(line);
  buffers_->release_if_large();
  if (!fields) return std::nullopt;
  return SessionEntry{std::move(*fields->type), std::move(fields->id), std::move(fields->cwd),
                      std::move(fields->message)};
}

}  // namespace pievt::pi
