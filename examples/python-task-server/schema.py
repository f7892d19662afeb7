"""The part of JSON Schema that the settings of this server use; a function with other words in its schema is refused."""

import re

TYPES = {
    "string": lambda v: isinstance(v, str),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "object": lambda v: isinstance(v, dict),
}
KNOWN = {
    "type", "properties", "required", "additionalProperties", "minimum", "maximum", "minLength", "maxLength",
    "enum", "default", "description", "title",
}


def assert_known(schema):
    """Raises ValueError for words that `faults` would pass over."""
    unknown = set(schema) - KNOWN
    if unknown:
        raise ValueError(f"not supported in a settings schema: {sorted(unknown)}")
    for part in schema.get("properties", {}).values():
        assert_known(part)


def faults(schema, value, path="/settings"):
    """What is wrong with the value: a list of {path, message}."""
    kind = schema.get("type")
    if kind is not None and not TYPES[kind](value):
        return [{"path": path, "message": f"must be {kind}"}]
    if "enum" in schema and value not in schema["enum"]:
        return [{"path": path, "message": f"must be one of {schema['enum']}"}]
    found = []
    for word, wrong, text in (
        ("minimum", lambda limit: value < limit, "must be >="),
        ("maximum", lambda limit: value > limit, "must be <="),
        ("minLength", lambda limit: len(value) < limit, "must have a length of at least"),
        ("maxLength", lambda limit: len(value) > limit, "must have a length of at most"),
    ):
        if word in schema and wrong(schema[word]):
            found.append({"path": path, "message": f"{text} {schema[word]}"})
    if kind == "object":
        properties = schema.get("properties", {})
        for name in schema.get("required", []):
            if name not in value:
                found.append({"path": f"{path}/{name}", "message": "is required"})
        for name, part in value.items():
            if name in properties:
                found.extend(faults(properties[name], part, f"{path}/{name}"))
            elif schema.get("additionalProperties") is False:
                found.append({"path": f"{path}/{name}", "message": "is not known"})
    return found


def with_defaults(schema, settings):
    """The settings with what they leave out."""
    defaults = {name: part["default"] for name, part in schema.get("properties", {}).items() if "default" in part}
    return {**defaults, **settings}


NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")


def is_name(text):
    """True for what a profile may be called."""
    return len(text) <= 63 and NAME.fullmatch(text) is not None
