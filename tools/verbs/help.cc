// `pievt help`: the overview, one verb, or a topic. `pievt VERB --help` comes here too.
#include <array>

#include <fmt/format.h>

#include "tools/frame/context.h"
#include "tools/frame/nearest.h"
#include "tools/frame/pages.h"
#include "tools/frame/topics.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_help = {
    argument("topic", "a verb, or exit-codes, formats, environment, faq")
        .completing(Complete::verbs),
    flag("--all", "every verb, by group"),
    flag("--man", "the manual page, as roff").unlisted(),
};

constexpr Manual manual_of_help = {
    .details =
        "Without an argument, the verbs for every day. With --json, the table of verbs for "
        "programs.",
    .options = options_of_help,
    .examples = {{{"pievt help exit-codes", "what each exit code promises"},
                  {"pievt help --all", "every verb, by what it is for"}}},
    .outputs = Outputs::text_json,
};

const Topic* find_topic(std::string_view name) {
  for (const Topic& topic : topics()) {
    if (topic.name == name) return &topic;
  }
  return nullptr;
}

Error unknown_topic(const Tables& tables, std::string_view typed) {
  std::vector<std::string_view> names;
  for (const Verb& verb : tables.verbs) names.push_back(verb.name);
  for (const Topic& topic : topics()) names.push_back(topic.name);
  return {Errc::invalid,
          fmt::format("no verb or topic is called \"{}\"{}; pievt help --all lists them", typed,
                      did_you_mean(typed, names))};
}

void write_options(render::JsonWriter& json, std::span<const Option> rows) {
  json.begin_array();
  for (const Option& row : rows) {
    if (row.listed == Listed::no) continue;
    json.begin_object().member("name", row.name);
    if (row.letter != '\0') json.member("letter", std::string_view(&row.letter, 1));
    json.member("takes_value", row.kind != Kind::flag)
        .member("value", row.placeholder)
        .member("required", row.need == Need::required)
        .member("repeatable", row.times == Times::many)
        .member("help", row.help)
        .end_object();
  }
  json.end_array();
}

void write_outputs(render::JsonWriter& json, Outputs outputs) {
  json.begin_array().value("text");
  if (outputs != Outputs::text_only) json.value("json").value("jsonl");
  if (outputs == Outputs::everything) json.value("csv");
  json.end_array();
}

void write_help_json(const Context& context) {
  render::JsonWriter json = context.json();
  json.begin_document("pievt.help", 1).key("global");
  write_options(json, global_options());
  json.key("verbs").begin_array();
  for (const Verb& verb : context.tables.verbs) {
    json.begin_object()
        .member("name", verb.name)
        .member("group", name_of(verb.group))
        .member("summary", verb.summary)
        .member("usage", usage_line(verb))
        .key("options");
    const Manual& long_form = verb.manual();
    write_options(json, long_form.options);
    json.key("outputs");
    write_outputs(json, long_form.outputs);
    json.key("examples").begin_array();
    for (const Example& example : long_form.examples)
      json.begin_object()
          .member("command", example.command)
          .member("purpose", example.purpose)
          .end_object();
    json.end_array().end_object();
  }
  json.end_array().end_object();
  json.end_document();
}

Result<std::string> page_of(const Context& context) {
  const render::Terminal& terminal = context.terminal;
  const Tables& tables = context.tables;
  if (context.arguments.has("--man")) return man_page(tables);
  const auto name = context.arguments.text("topic");
  if (!name && !context.arguments.has("--all")) return overview_page(tables, terminal);
  if (!name) return all_verbs_page(tables, terminal).substr(1);  // it begins with an empty line
  if (const Verb* const verb = find_verb(tables, *name)) return verb_page(*verb, terminal);
  if (const Topic* const topic = find_topic(*name)) return topic_page(*topic, terminal);
  return unknown_topic(tables, *name);
}

}  // namespace

const Manual& help_manual() {
  return manual_of_help;
}

Result<Exit> help(Context& context) {
  if (context.wants_json()) {
    write_help_json(context);
    return Exit::ok;
  }
  const std::string page = PIEVT_TRY(page_of(context));
  context.pager.begin();
  context.out.write(page);
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
