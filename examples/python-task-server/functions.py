"""What this server can do. A function gets a Job (see task_server.py) and returns a JSON value."""

import codecs
import csv
import json

from schema import assert_known


class Failure(Exception):
    """Ends a job without a result. kind: retryable, permanent or business."""

    def __init__(self, kind, code, message, retry_after_ms=None):
        super().__init__(message)
        self.kind, self.code, self.message, self.retry_after_ms = kind, code, message, retry_after_ms


class Function:
    def __init__(self, name, run, description, settings_schema, input_schema, output_schema):
        assert_known(settings_schema)
        self.name, self.run, self.description = name, run, description
        self.settings_schema, self.input_schema, self.output_schema = settings_schema, input_schema, output_schema

    def described(self):
        return {
            "name": self.name, "version": "1.0.0", "description": self.description,
            "settingsSchema": self.settings_schema, "inputSchema": self.input_schema,
            "outputSchema": self.output_schema,
        }


def text_of(job):
    """The input as text, in pieces: a string, or a blob that is streamed."""
    value = job.input
    if isinstance(value, str):
        yield value
    elif job.is_blob(value):
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        for chunk in job.read(value):
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)
    else:
        raise Failure("permanent", "invalid_input", "the input must be a text or a blob")


def lines_of(job):
    rest = ""
    for piece in text_of(job):
        *lines, rest = (rest + piece).split("\n")
        yield from lines
    if rest:
        yield rest


def text_stats(job):
    lines = words = characters = 0
    longest = ""
    for line in lines_of(job):
        lines += 1
        characters += len(line)
        for word in line.split():
            if len(word) >= job.settings["minLength"]:
                words += 1
                longest = max(longest, word, key=len)
    return {"lines": lines, "words": words, "characters": characters, "longest": longest}


def text_words(job):
    """A result of any size: what is too large to travel inline becomes a blob by itself."""
    return [word for line in lines_of(job) for word in line.split()]


def csv_summary(job):
    rows, columns = 0, {}
    for row in csv.DictReader(lines_of(job), delimiter=job.settings["delimiter"]):
        rows += 1
        for name, text in row.items():
            if name is None or not isinstance(text, str):
                raise Failure("permanent", "not_a_table", f"line {rows + 1} has not as many fields as the first")
            try:
                number = float(text)
            except ValueError:
                continue
            column = columns.setdefault(name, {"count": 0, "sum": 0.0, "min": number, "max": number})
            column["count"] += 1
            column["sum"] += number
            column["min"], column["max"] = min(column["min"], number), max(column["max"], number)
    if rows == 0:
        raise Failure("business", "empty_table", "the table has no rows")
    return {"rows": rows, "columns": columns}


def slow_count(job):
    """Counts, slowly, and keeps a checkpoint: an attempt that is lost is gone on with, not begun again."""
    done = 0
    if job.context is not None:
        done = json.loads(b"".join(job.read(job.context)))["done"]
    total = job.settings["count"]
    if isinstance(job.input, int) and not isinstance(job.input, bool) and 0 <= job.input <= 10_000:
        total = job.input
    started_at = done
    while done < total:
        job.sleep(job.settings["delayMs"] / 1000)
        done += 1
        if done % 5 == 0:
            job.progress(done / total, job.write(json.dumps({"done": done}).encode(), "application/json"))
        else:
            job.progress(done / total)
    return {"counted": done, "resumedAt": started_at}


TEXT = {"anyOf": [{"type": "string"}, {"type": "object", "required": ["blobId"]}]}
FUNCTIONS = {
    function.name: function
    for function in (
        Function("text.stats", text_stats, "Lines, words and characters of a text.", {
            "type": "object", "additionalProperties": False,
            "properties": {"minLength": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1}},
        }, TEXT, {"type": "object"}),
        Function("text.words", text_words, "All words of a text.",
                 {"type": "object", "additionalProperties": False, "properties": {}}, TEXT, {}),
        Function("csv.summary", csv_summary, "Count, sum, least and greatest of each column of numbers.", {
            "type": "object", "additionalProperties": False,
            "properties": {"delimiter": {"type": "string", "minLength": 1, "maxLength": 1, "default": ","}},
        }, TEXT, {"type": "object"}),
        Function("slow.count", slow_count, "Counts slowly, with progress and checkpoints.", {
            "type": "object", "additionalProperties": False,
            "properties": {
                "count": {"type": "integer", "minimum": 0, "maximum": 10000, "default": 20},
                "delayMs": {"type": "integer", "minimum": 0, "maximum": 60000, "default": 100},
            },
        }, {}, {"type": "object"}),
    )
}

SAMPLES = [
    {"name": "stats", "function": "text.stats", "settings": {}},
    {"name": "words", "function": "text.words", "settings": {}},
    {"name": "table", "function": "csv.summary", "settings": {}},
    {"name": "count-slowly", "function": "slow.count", "settings": {}},
]
