"""Records an example of each code while the tests run, and writes it to `core/friendshore/codes.toml`.

`uv run python -m pytest -n0 -p tests.record_codes` records; add `-m "deep or not deep"` for the codes that only deep tests meet. Codes without an example get the
shortest one that names a place, if there is one. Examples that are there stay.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from friendshore.errors import Diagnostic
from friendshore.report import problem_lines

TABLE = Path(__file__).parents[1] / "core/friendshore/codes.toml"
LONGEST = 400
_diagnostics: dict[str, Diagnostic] = {}
_original_init = Diagnostic.__init__


def pytest_configure() -> None:
    """Keep the best diagnostic of each code from now on."""

    def recorded(self: Diagnostic, *args: object, **kwargs: object) -> None:
        _original_init(self, *args, **kwargs)  # type: ignore[arg-type]
        if self.code and (self.code not in _diagnostics or _rank(self) < _rank(_diagnostics[self.code])):
            _diagnostics[self.code] = self

    Diagnostic.__init__ = recorded  # type: ignore[method-assign]


def _rank(problem: Diagnostic) -> tuple[bool, bool, bool, int]:
    """Return a key that is least for a short example with a place and a fix, and without a path of this machine."""
    text = str(problem)
    return "/tmp/" in text.replace(problem.file, ""), not problem.file, not problem.fix, len(text)


def replace_place(problem: Diagnostic) -> Diagnostic:
    """Return a diagnostic whose file has no folders."""
    return replace(problem, file=re.sub(r"\S*/", "", problem.file))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the examples of codes that have none."""
    Diagnostic.__init__ = _original_init  # type: ignore[method-assign]
    text = TABLE.read_text("utf-8")
    for code, problem in sorted(_diagnostics.items()):
        example = "\n".join(problem_lines([replace_place(problem)]))
        entry = re.search(rf"^\[{code}\]\n(?:.+\n)*", text, re.MULTILINE)
        if (
            entry is None
            or "\nexample = " in entry[0]
            or len(example) > LONGEST
            or "/tmp/" in example
            or "'''" in example
        ):
            continue
        text = text[: entry.end()] + f"example = '''\n{example}'''\n" + text[entry.end() :]
    TABLE.write_text(text, "utf-8")
