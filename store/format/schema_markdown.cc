#include "store/format/schema_markdown.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "store/format/schema_facts.h"

namespace pievt::reflect {
namespace {

constexpr std::string_view heading =
    R"(# Events

Everything that can be in a log. Each event is a stamp, written by the log's one writer, and a body:
a head of numbers that says what the event is about, and one of the payloads below. Absent strings,
tables and structs are left out of the JSON of an event; absent numbers are their default.

This file is generated from `schemas/*.fbs`; edit the comments there, then run
`cmake --build <build directory> --target event_docs`. A test fails while the two differ. How events
may change is in `schemas/README.md`; what must never change is locked in `schemas/schema.lock`.

)";

// A comment inside a cell of a table.
std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

// GitHub's name for a heading: lower case. Our headings begin with the name alone.
std::string anchor(std::string_view name) {
  std::string result(name);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

class Document {
 public:
  explicit Document(const Schema& schema) : schema_(schema), events_(schema.root_union()) {}

  std::string write() {
    contents();
    events();
    envelope();
    parts();
    enums();
    return std::move(text_);
  }

 private:
  struct Event {
    std::int64_t tag;
    const ObjectType* table;
  };

  std::vector<Event> listed() const {
    std::vector<Event> found;
    if (events_ == nullptr) return found;
    for (const EnumMember& member : events_->members) {
      const ObjectType* const table = schema_.member_table(*events_, member.number);
      if (table != nullptr) found.push_back({member.number, table});
    }
    return found;
  }

  bool is_event(const ObjectType& object) const {
    return std::ranges::any_of(listed(), [&](const Event& e) { return e.table == &object; });
  }

  void add(std::string_view text) { text_ += text; }

  void contents() {
    add(heading);
    add("| tag | event | declared in |\n|---|---|---|\n");
    for (const Event& event : listed()) {
      const std::string_view name = event.table->short_name();
      add(fmt::format("| {} | [{}](#{}) | {}.fbs |\n", event.tag, name, anchor(name),
                      event.table->file));
    }
    add("\n");
  }

  // One chapter for each file, in the order of the first tag in it.
  void events() {
    const std::vector<Event> all = listed();
    std::set<std::string_view> done;
    for (const Event& first : all) {
      if (!done.insert(first.table->file).second) continue;
      add(fmt::format("## Events of {}.fbs\n\n", first.table->file));
      for (const Event& event : all) {
        if (event.table->file == first.table->file) describe(*event.table, event.tag);
      }
    }
  }

  void describe(const ObjectType& table, std::int64_t tag) {
    add(fmt::format("### {}\n\nTag {}. {}\n\n", table.short_name(), tag, table.comment));
    fields(table);
  }

  void envelope() {
    add("## Around every payload\n\n");
    add(fmt::format("### {}\n\n", schema_.root().short_name()));
    paragraph(schema_.root().comment);
    fields(schema_.root());
  }

  void parts() {
    add("## Tables and structs inside events\n\n");
    for (const ObjectType& object : schema_.objects()) {
      if (is_event(object) || &object == &schema_.root()) continue;
      add(fmt::format("### {}\n\n", object.short_name()));
      paragraph(object.comment);
      if (object.form == ObjectType::Form::structure) {
        add(fmt::format("A struct of {} bytes{}.\n\n", object.size,
                        object.is_bytes() ? "; in JSON it is a string of hexadecimal digits" : ""));
      }
      fields(object);
    }
  }

  void enums() {
    add("## Enums\n\n");
    for (const EnumType& type : schema_.enums()) {
      if (type.form == EnumType::Form::tagged_union) continue;
      add(fmt::format("### {}\n\n", type.short_name()));
      paragraph(type.comment);
      add("| value | name | meaning |\n|---|---|---|\n");
      for (const EnumMember& member : type.members) {
        add(fmt::format("| {} | `{}` | {} |\n", member.number, member.name, cell(member.comment)));
      }
      add("\n");
    }
    text_.pop_back();  // the file ends with one line end
  }

  void paragraph(std::string_view words) {
    if (!words.empty()) add(fmt::format("{}\n\n", words));
  }

  void fields(const ObjectType& object) {
    if (object.fields.empty()) return add("No fields.\n\n");
    const bool is_struct = object.form == ObjectType::Form::structure;
    add(fmt::format("| {} | field | type | meaning |\n|---|---|---|---|\n",
                    is_struct ? "byte" : "id"));
    for (const Field& field : object.fields) {
      add(fmt::format("| {} | `{}` | {} | {} |\n", is_struct ? field.offset : field.id, field.name,
                      type_cell(field), meaning(field)));
    }
    add("\n");
  }

  static std::string meaning(const Field& field) {
    std::string words = cell(field.comment);
    const auto add_note = [&](std::string_view note) {
      if (!words.empty()) words += ' ';
      words += note;
    };
    if (field.presence == Field::Presence::required) add_note("Required.");
    if (field.life == Field::Life::deprecated) add_note("Deprecated: no longer written.");
    if (is_scalar(field.type.base) && field.default_integer != 0) {
      add_note(fmt::format("Default {}.", field.default_integer));
    } else if (field.default_real < 0 || field.default_real > 0) {
      add_note(fmt::format("Default {}.", field.default_real));
    }
    return words;
  }

  // The short name of the type, linked to where it is described.
  std::string type_cell(const Field& field) const {
    const Type& type = field.type;
    std::string full = type_text(schema_, type);
    if (type.index < 0) return full;
    if (type.base == Base::union_tag) return "tag";
    if (type.base == Base::union_value) return "one of the events";
    const Base base =
        type.base == Base::vector || type.base == Base::array ? type.element : type.base;
    const auto position = static_cast<std::size_t>(type.index);
    const std::string_view name = base == Base::object ? schema_.objects()[position].short_name()
                                                       : schema_.enums()[position].short_name();
    std::string link = fmt::format("[{}](#{})", name, anchor(name));
    if (type.base == Base::vector) return "list of " + link;
    if (type.base == Base::array) return fmt::format("{} of {}", type.length, link);
    return link;
  }

  const Schema& schema_;
  const EnumType* events_;
  std::string text_;
};

}  // namespace

std::string events_markdown(const Schema& schema) {
  return Document(schema).write();
}

}  // namespace pievt::reflect
