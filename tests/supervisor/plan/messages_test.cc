// What people are told about plans that are wrong: the exact words, line and column. One row a
// rule.
#include <gtest/gtest.h>

#include "tests/supervisor/plan/support.h"

namespace pievt::plan {
namespace {

struct Row {
  std::string_view plan;     ///< with ' for "
  std::string_view message;  ///< after "plan.json:", with ' for "
};

const Row syntax[] = {
    {"", "1:1: nothing to read here: a JSON object is needed"},
    {"// nothing\n", "2:1: nothing to read here: a JSON object is needed"},
    {"[]", "1:1: a plan must be an object, not a list"},
    {"{'jobs':\n  [{'prompt': 'p'}]\n", "3:1: ',' or '}' was expected"},
    {"{'jobs': [{'prompt': 'p'}} ]}", "1:26: ',' or ']' was expected"},
    {"{'jobs' [1]}", "1:9: ':' was expected after the key"},
    {"{jobs: []}", "1:2: a key in double quotes was expected"},
    {"{'jobs': ,}",
     "1:10: a value was expected: an object, a list, 'text', a number, true, false or null"},
    {"{'jobs': nul}",
     "1:13: a value was expected: an object, a list, 'text', a number, true, false or null"},
    {"{'jobs': [{'prompt': 'p'}]} {}", "1:29: the document has ended before this"},
    {"{'name': 'a\nb'}",
     "1:12: a line break or control character inside a string; write \\n, or close the string"},
    {"{'name': 'a\\qb'}", "1:12: '\\' stands before ' \\ / b f n r t u only"},
    {"{'name': '\\u12x'}", "1:11: \\u needs four hexadecimal digits"},
    {"{'name': '\\ud800x'}", "1:11: half of a \\u pair without its other half"},
    {"{'name': '\\udc00'}", "1:10: half of a \\u pair without its other half"},
    {"{'name': 'a\\u0000'}", "1:10: a string must not hold U+0000"},
    {"{'name': 'a", "1:12: a string is not closed before the end of the file"},
    {"{'name': '\xff'}", "1:11: not UTF-8"},
    {"{'concurrency': 1e999}", "1:17: a number too large to hold"},
    {"{'concurrency': 1.}", "1:19: digits were expected after the decimal point"},
    {"{'concurrency': 1e}", "1:19: digits were expected after the exponent"},
    {"{ /* for ever", "1:14: a comment is not closed before the end of the file"},
    {"{ # no\n}", "1:3: a key in double quotes was expected"},
    {"{ / no\n}", "1:4: not JSON: neither a value nor a comment"},
    {"{'jobs': [{'prompt': 'p', 'prompt': 'q'}]}",
     "1:27: the key 'prompt' is already in this object, in line 1"},
    {"{'é': 'ü', 'é': 1}", "1:12: the key 'é' is already in this object, in line 1"},
};

const Row keys[] = {
    {"{'jobs': [{'id': 'intro', 'promtp': 'p'}]}",
     "1:27: unknown key 'promtp' in job 'intro'; did you mean 'prompt'?"},
    {"{'jobs': [{'prompt': 'p', 'time_out_ms': 5}]}",
     "1:27: unknown key 'time_out_ms' in job 1; did you mean 'timeoutMs'?"},
    {"{'jobs': [{'prompt': 'p'}], 'model': 'm'}",
     "1:29: unknown key 'model' in the plan; it is a key of a job"},
    {"{'jobs': [{'prompt': 'p', 'promptTemplate': 'm'}]}",
     "1:27: unknown key 'promptTemplate' in job 1; it is a key of the plan"},
    {"{'jobs': [{'prompt': 'p'}], 'defaults': {'id': 'x'}}",
     "1:42: unknown key 'id' in 'defaults'; it is a key of a job"},
    {"{'job': [{'prompt': 'p'}]}",
     "1:1: a plan needs 'matrix' or 'jobs'\nplan.json:1:2: unknown key 'job' in the plan; did you "
     "mean 'jobs'?"},
    {"{'jobs': [{'prompt': 'p', 'retry': {'max': 2}}]}",
     "1:37: unknown key 'max' in 'retry' of job 1; it is a key of 'backoffMs'"},
    {"{'jobs': [{'prompt': 'p', 'zzzzzz': 1}]}", "1:27: unknown key 'zzzzzz' in job 1"},
    {"{'jobs': [{'prompt': 'p', 'dependson': []}]}",
     "1:27: unknown key 'dependson' in job 1; did you mean 'dependsOn'?"},
    {"{'matrix': [{'id': 'a', 'pormpt': 'p'}]}",
     "1:25: unknown key 'pormpt' in matrix row 'a'; did you mean 'prompt'?"},
    {"{'matrix': [{'id': 'a', 'prompt': 'p'}], 'synthesis': {'steps': 1}}",
     "1:56: unknown key 'steps' in 'synthesis'"},
    {"{'jobs': [{'prompt': 'p', 'budget': 5}]}",
     "1:37: 'budget' in job 1 must be an object, not a number"},
    {"{'jobs': [{'prompt': 'p', 'budget': {'cost': 0}}]}",
     "1:46: 'cost' in 'budget' of job 1 must be more than nothing"},
    {"{'jobs': [{'prompt': 'p', 'budget': {'time': 60}}]}",
     "1:46: 'time' in 'budget' of job 1 must be a duration like '20m', not a number"},
    {"{'jobs': [{'prompt': 'p', 'silence': {'tool': '0s'}}]}",
     "1:47: 'tool' in 'silence' of job 1 must be more than nothing"},
    {"{'jobs': [{'prompt': 'p', 'retry': {'session': 'old'}}]}",
     "1:48: 'session' in 'retry' of job 1 must be 'fresh' or 'resume', not 'old'"},
    {"{'jobs': [{'prompt': 'p', 'isolation': {'x': 1}}]}",
     "1:40: 'isolation' in job 1 must be text, not an object"},
    {"{'jobs': [{'prompt': 'p', 'acceptance': {'auditOnly': 1}}]}",
     "1:55: 'auditOnly' in 'acceptance' of job 1 must be true or false, not a number"},
    {"{'jobs': [{'prompt': 'p', 'acceptance': {'requiredPath': []}}]}",
     "1:42: unknown key 'requiredPath' in 'acceptance' of job 1; did you mean 'requiredPaths'?"},
    {"{'jobs': [{'prompt': 'p', 'acceptance': {'forbiddenPaths': [1]}}]}",
     "1:61: 'forbiddenPaths' in 'acceptance' of job 1 must be a list of text; this entry is a "
     "number"},
    {"{'jobs': [{'prompt': 'p', 'acceptance': {'requiredPaths': [{'path': 'p', 'requiredRegex': "
     "'x'}]}}]}",
     "1:91: 'requiredRegex' in 'requiredPaths' of 'acceptance' of job 1 must be a list of text, "
     "not "
     "text"},
    {"{'jobs': [{'prompt': 'p', 'acceptance': {'requiredPaths': [{'path': 'p', 'type': "
     "'link'}]}}]}",
     "1:82: 'type' in 'requiredPaths' of 'acceptance' of job 1 must be 'file', 'dir' or 'glob', "
     "not "
     "'link'"},
};

const Row types[] = {
    {"{'jobs': 5}", "1:10: 'jobs' in the plan must be a list of jobs, not a number"},
    {"{'jobs': [7]}", "1:11: a job must be an object, not a number"},
    {"{'matrix': 'x'}",
     "1:12: 'matrix' in the plan must be a list of rows, or an object with 'glob', 'csv' or "
     "'jsonl', not text"},
    {"{'matrix': []}", "1:12: 'matrix' in the plan must have at least one row"},
    {"{'jobs': []}", "1:10: a plan needs at least one job"},
    {"{'matrix': {'glob': 'a', 'csv': 'b'}}",
     "1:12: 'matrix' in the plan must have exactly one of 'glob', 'csv' and 'jsonl'"},
    {"{'jobs': [{'prompt': 5}]}", "1:22: 'prompt' in job 1 must be text, not a number"},
    {"{'jobs': [{'prompt': ' \\n'}]}", "1:22: 'prompt' in job 1 must not be blank"},
    {"{'jobs': [{'prompt': 'p'}], 'concurrency': 0}",
     "1:44: 'concurrency' in the plan must be a whole number from 1 to 4294967295"},
    {"{'jobs': [{'prompt': 'p'}], 'concurrency': 1.5}",
     "1:44: 'concurrency' in the plan must be a whole number from 1 to 4294967295"},
    {"{'jobs': [{'prompt': 'p'}], 'concurrency': '2'}",
     "1:44: 'concurrency' in the plan must be a whole number from 1 to 4294967295, not text"},
    {"{'jobs': [{'prompt': 'p', 'timeout': 20}]}",
     "1:38: 'timeout' in job 1 must be a duration like '20m'; a number of milliseconds is "
     "'timeoutMs'"},
    {"{'jobs': [{'prompt': 'p', 'timeout': '20 min'}]}",
     "1:38: 'timeout' in job 1 must be a duration: '20 min' is not a duration; write it like "
     "'90s', '20m', '1h30m' or '500ms'"},
    {"{'jobs': [{'prompt': 'p', 'timeout': '31d'}]}",
     "1:38: 'timeout' in job 1 must be more than nothing and at most 30 days ('30d')"},
    {"{'jobs': [{'prompt': 'p', 'timeoutMs': 0}]}",
     "1:40: 'timeoutMs' in job 1 must be a number from 1 to 2592000000"},
    {"{'jobs': [{'prompt': 'p', 'timeoutMs': 5, 'timeout': '5ms'}]}",
     "1:43: 'timeoutMs' and 'timeout' are both in job 1; keep one"},
    {"{'jobs': [{'prompt': 'p', 'promptFile': 'f'}]}",
     "1:27: 'prompt' and 'promptFile' are both in job 1; keep one"},
    {"{'name': 'n', 'batchName': 'n', 'jobs': [{'prompt': 'p'}]}",
     "1:15: 'name' and 'batchName' are both in the plan; keep one"},
    {"{'timeoutMs': 5, 'defaults': {'timeout': '1m'}, 'jobs': [{'prompt': 'p'}]}",
     "1:31: 'timeout' is set in 'defaults' and for the whole plan; keep one"},
    {"{'jobs': [{'prompt': 'p', 'vars': {'k': 1}}]}",
     "1:41: the variable 'k' in job 1 must be text or a list of text; put numbers in quotes"},
    {"{'jobs': [{'prompt': 'p', 'vars': {'k': ['x', 1]}}]}",
     "1:41: the variable 'k' in job 1 must be text or a list of text; put numbers in quotes"},
    {"{'jobs': [{'prompt': 'p', 'env': {'A B': 'x'}}]}",
     "1:35: 'A B' in 'env' of job 1 cannot be the name of a variable: letters, digits and '_' "
     "only, no digit first"},
    {"{'jobs': [{'prompt': 'p', 'env': {'PIEVT_ATTEMPT': 'x'}}]}",
     "1:35: 'PIEVT_ATTEMPT' in 'env' of job 1: names that begin with 'PIEVT_' are kept for the "
     "supervisor"},
    {"{'jobs': [{'prompt': 'p', 'env': {'A': 5}}]}",
     "1:40: the value of 'A' in 'env' of job 1 must be text or {'fromEnv': 'NAME'}, not a number"},
    {"{'jobs': [{'prompt': 'p', 'env': {'A': {}}}]}", "1:40: 'env'.'A' of job 1 needs 'fromEnv'"},
    {"{'jobs': [{'prompt': 'p', 'tools': ['a,b']}]}",
     "1:37: 'a,b' in 'tools' of job 1 cannot be the name of a tool"},
    {"{'jobs': [{'prompt': 'p', 'thinking': 'deep'}]}",
     "1:39: 'thinking' of job 't001' must be off, minimal, low, medium, high or xhigh, not 'deep'"},
    {"{'jobs': [{'prompt': 'p', 'priority': 'high'}]}",
     "1:39: 'priority' in job 1 must be a whole number from -2147483648 to 2147483647, not text"},
    {"{'jobs': [{'prompt': 'p', 'retry': {'maxAttempts': 0}}]}",
     "1:52: 'maxAttempts' in 'retry' of job 1 must be a whole number from 1 to 100"},
    {"{'jobs': [{'prompt': 'p', 'retry': {'retryOn': ['time_out']}}]}",
     "1:49: 'retryOn' in 'retry' of job 1 holds 'time_out', which is not a failure that can be "
     "retried; did you mean 'timeout'?"},
    {"{'jobs': [{'prompt': 'p', 'retry': {'backoffMs': {'multiplier': 0.5}}}]}",
     "1:65: 'multiplier' in 'backoffMs' of 'retry' of job 1 must be a number from 1 to 100"},
    {"{'jobs': [{'prompt': 'p', 'metadata': {'k': 1}}]}",
     "1:45: the value of 'k' in 'metadata' of job 1 must be text, not a number"},
    {"{'jobs': [{'prompt': 'p', 'dependsOn': 'a'}]}",
     "1:40: 'dependsOn' in job 1 must be a list of job ids or {'job': …, 'when': …} objects, not "
     "text"},
    {"{'jobs': [{'prompt': 'p', 'dependsOn': [{'when': 'success'}]}]}",
     "1:41: an entry of 'dependsOn' of job 1 needs 'job'"},
    {"{'jobs': [{'prompt': 'p', 'dependsOn': [{'job': 'a', 'when': 'failure'}]}]}",
     "1:62: 'when' in 'dependsOn' of job 1 must be 'success' or 'finished', not 'failure'"},
    {"{'jobs': [{'prompt': 'p'}], 'synthesis': {'mode': 'x'}}",
     "1:51: 'mode' in 'synthesis' must be 'parent' or 'report-only', not 'x'"},
    {"{'jobs': [{'prompt': 'p', 'acceptance': {'requiredPaths': [{}]}}]}",
     "1:60: an entry of 'requiredPaths' of 'acceptance' of job 1 needs 'path'"},
};

const Row meaning[] = {
    {"{'matrix': [{'prompt': 'p'}]}", "1:13: matrix row 1 needs 'id'"},
    {"{'jobs': [{'id': 'a/b', 'prompt': 'p'}]}",
     "1:18: 'a/b' cannot be an id: an id is a letter or digit, then up to 99 letters, digits, '.', "
     "'_' or '-'"},
    {"{'jobs': [{'id': '..', 'prompt': 'p'}]}",
     "1:18: '..' cannot be an id: an id is a letter or digit, then up to 99 letters, digits, '.', "
     "'_' or '-'"},
    {"{'jobs': [\n  {'id': 'a', 'prompt': 'p'},\n  {'id': 'a', 'prompt': 'p'},\n]}",
     "3:10: the id 'a' is used twice, first in line 2"},
    {"{'jobs': [{'id': 't002', 'prompt': 'p'}, {'prompt': 'p'}]}",
     "1:42: the id 't002' is used twice, first in line 1"},
    {"{'jobs': [{'id': 'a'}]}",
     "1:11: job 'a' has no prompt: set 'prompt' or 'promptFile' here or in 'defaults'"},
    {"{'matrix': [{'id': 'a'}]}",
     "1:13: matrix row 'a' has no prompt: set 'prompt' or 'promptFile' here or in 'defaults', or "
     "'promptTemplate'"},
    {"{'matrix': [{'id': 'a'}, {'id': 'b'}],\n 'promptTemplate': 'x {{missing}}'}",
     "2:23: unknown placeholder {{missing}} in the prompt of matrix row 'a'; known are {{id}}"},
    {"{'matrix': [{'id': 'a', 'vars': {'chapter': 'x'}}],\n 'promptTemplate': 'Über\\n\\u00e9 {{ "
     "chaptre }}'}",
     "2:34: unknown placeholder {{chaptre}} in the prompt of matrix row 'a'; did you mean "
     "{{chapter}}?"},
    {"{'matrix': [{'id': 'a'}], 'promptTemplate': 'p', 'nameTemplate': '{{name}}'}",
     "1:67: unknown placeholder {{name}} in 'nameTemplate' of matrix row 'a'; known are {{id}}"},
    {"{'jobs': [{'id': 'a', 'prompt': '{{jobs.b.result}}'}]}",
     "1:34: '{{jobs.b.result}}' in the prompt of job 'a': of another job there is only "
     "{{jobs.<id>.final}}, its final message"},
    {"{'jobs': [{'id': 'a', 'prompt': 'p', 'model': '{{jobs.b.final}}'}]}",
     "1:48: '{{jobs.b.final}}' in 'model' of job 'a': a final message can only stand in a prompt"},
    {"{'jobs': [{'id': 'intro', 'prompt': 'p'}, {'id': 'b', 'prompt': 'see {{jobs.into.final}}'}]}",
     "1:70: the prompt of job 'b' names the job 'into', and there is none; did you mean 'intro'?"},
    {"{'jobs': [{'id': 'a', 'prompt': 'p', 'dependsOn': ['zzz']}]}",
     "1:52: 'dependsOn' of job 'a' names the job 'zzz', and there is none"},
    {"{'jobs': [{'id': 'lint-a', 'prompt': 'p', 'dependsOn': ['lint-*']}]}",
     "1:57: the pattern 'lint-*' in 'dependsOn' of job 'lint-a' fits no other job"},
    {"{'jobs': [{'id': 'a', 'prompt': 'p', 'dependsOn': ['b']}, {'id': 'b', 'prompt': "
     "'{{jobs.a.final}}'}]}",
     "1:52: these jobs wait for each other: a -> b -> a"},
    {"{'jobs': [{'id': 'a', 'prompt': 'p', 'dependsOn': ['a']}]}",
     "1:52: these jobs wait for each other: a -> a"},
    {"{'jobs': [{'id': 'a', 'prompt': '{{v}}', 'vars': {'v': ' '}}]}",
     "1:33: the prompt of job 'a' is blank"},
    {"{'matrix': [{'id': 'a'}], 'promptTemplate': 'p', 'nameTemplate': '{{v}}', 'defaults': "
     "{'vars': {'v': []}}}",
     "1:66: 'nameTemplate' gives matrix row 'a' a blank name"},
    {"{'jobs': [{'prompt': 'p', 'model': '{{v}}', 'vars': {'v': ''}}]}",
     "1:36: 'model' of job 't001' is blank"},
    {"{'jobs': [{'prompt': 'p', 'acceptance': {'requiredPaths': ['{{v}}']}, 'vars': {'v': ''}}]}",
     "1:60: a path in 'requiredPaths' of job 't001' is blank"},
    {"{'jobs': [{'promptFile': 'p.md'}]}", "1:26: the prompt file 'p.md' is not there"},
    {"{'jobs': [{'prompt': 'p', 'context': ['c.md']}]}",
     "1:39: the context file 'c.md' is not there"},
    {"{'matrix': {'csv': 'r.csv'}}", "1:20: the matrix file 'r.csv' is not there"},
    {"{'matrix': {'glob': '*.md'}}", "1:21: the pattern '*.md' matches no file"},
};

template <std::size_t count>
void check(const Row (&rows)[count]) {
  for (const Row& row : rows)
    EXPECT_EQ(refused(quotes(row.plan)), "plan.json:" + quotes(row.message)) << row.plan;
}

TEST(Messages, OfDocumentsThatAreNotJson) {
  check(syntax);
}
TEST(Messages, OfKeys) {
  check(keys);
}
TEST(Messages, OfValues) {
  check(types);
}
TEST(Messages, OfWhatThePlanMeans) {
  check(meaning);
}

}  // namespace
}  // namespace pievt::plan
