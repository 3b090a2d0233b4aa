"""A simple TOML writer."""

from __future__ import annotations

import json
import math
from datetime import date, time
from typing import Any


def toml_text(data: dict[str, Any]) -> str:
    """Return a table as TOML, with headings for tables and lists of tables."""
    plain = {key: value for key, value in data.items() if not isinstance(value, dict) and not _tables(value)}
    lines = [f"{_word(key)} = {_value(value)}" for key, value in plain.items()]
    for key, value in data.items():
        if key in plain:
            continue
        for table in value if isinstance(value, list) else [value]:
            lines.append(f"\n[[{_word(key)}]]" if isinstance(value, list) else f"\n[{_word(key)}]")
            lines += [f"{_word(name)} = {_value(inner)}" for name, inner in table.items()]
    return "\n".join(lines) + "\n"


def _tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _word(text: str) -> str:
    if text and text.isascii() and text.replace("-", "").replace("_", "").isalnum():
        return text
    return json.dumps(text).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf") if math.isinf(value) else repr(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_word(key)} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    # JSON writes what is not in the first plane as two surrogates, which TOML refuses.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f") if isinstance(value, str) else str(value)
