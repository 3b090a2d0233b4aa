"""Records an example of each code while the tests run, and writes it to `core/friendshore/codes.toml`.

`uv run python -m pytest -n0 -p tests.record_codes` records; add `-m "deep or not deep"` for the codes that only deep tests meet. Codes without an example get the
shortest one that names a place, if there is one. Examples that are there stay.

Examples come from diagnostics, causes of shortages, caveats, and assumptions that tests create, and from what the program prints when a test starts it.
`uv run python -m tests.record_codes` adds those of a few commands, without tests.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from typer.testing import CliRunner

from friendshore.cli import app
from friendshore.domain.base import Fault
from friendshore.domain.shown_names import ShownNames
from friendshore.domain.unmet import RunRestriction
from friendshore.errors import Diagnostic
from friendshore.problem.offers import Assumption
from friendshore.report import problem_lines
from friendshore.report.caveats import Caveat

TABLE = Path(__file__).parents[1] / "core/friendshore/codes.toml"
LONGEST = 400
TYPICAL = 100
"""Characters of a sentence that is neither trivial nor hard to read."""
TEMPORARY = re.compile(r"/tmp/(?:[^\s/`]+/)*")
PRINTED = re.compile(r"^[^\n]*?\b(FS\d{3}) [^\n]+(?:\n {4}\w+: [^\n]+)*", re.MULTILINE)
"""An error that the program prints: the line with the code, and indented details."""
ENTRY = r"^\[{}\]\n(?:.+\n)*"

Rank = tuple[bool, bool, bool, int]
_found: dict[str, tuple[Rank, str | Diagnostic]] = {}
_originals: list[tuple[type, str, Any]] = []
_is_of_docs = [False]
"""True if the running test is likely to plan a case of `docs`, whose names are better examples than those of other tests."""


def pytest_configure() -> None:
    """Keep the best example of each code from now on."""
    _record_after(Diagnostic, "__init__", lambda problem, _: _keep(problem.code, _rank(problem), problem))
    _record_after(Fault, "__init__", lambda fault, _: _as_diagnostic(fault))
    for kind in (Caveat, Assumption):
        _record_after(kind, "__new__", lambda _, text: _keep_text(text.code, _sentence(text)))
    _record_after(RunRestriction, "of", lambda _, cause: _keep_text(cause.code, cause.as_shown(ShownNames())))
    _record_after(subprocess.CompletedProcess, "__init__", lambda done, _: _keep_printed(done.stdout, done.stderr))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note which test runs."""
    _is_of_docs[-1] = any(word in item.nodeid for word in ("golden", "us_2027", "docs"))


def _record_after(kind: type, name: str, record: Callable[[Any, Any], None]) -> None:
    """Call `record` with the first argument and the result of each call of a method."""
    original = getattr(kind, name)
    _originals.append((kind, name, kind.__dict__.get(name)))

    def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        record(self, result)
        return result

    setattr(kind, name, recorded)


def _keep(code: str, rank: Rank, example: str | Diagnostic) -> None:
    if code and (code not in _found or rank < _found[code][0]):
        _found[code] = rank, example


def _keep_text(code: str, text: str) -> None:
    _keep(code, (False, not _is_of_docs[-1], False, abs(len(text) - TYPICAL)), f"{code} {text}")


def _as_diagnostic(fault: Fault) -> None:
    Diagnostic(fault.message, column=fault.field, expected=fault.expected, fix=fault.fix, code=fault.code)


def _sentence(text: Caveat | Assumption) -> str:
    return text.text if isinstance(text, Caveat) else f"{text.subject}: {text.text}"


def _keep_printed(*streams: Any) -> None:
    for stream in streams:
        text = stream.decode("utf-8", "replace") if isinstance(stream, bytes) else stream or ""
        if not isinstance(text, str):
            continue
        for match in PRINTED.finditer(text):
            example = TEMPORARY.sub("", match[0]).removeprefix("error: ").removeprefix("Error: Invalid value: ")
            has_fix = "\n    fix:" in example
            _keep(match[1], ("/tmp/" in example, ": FS" not in example, not has_fix, len(example)), example)
        if text.startswith("{") and '"errors"' in text:
            with suppress(ValueError, TypeError):  # another JSON object
                for error in json.loads(text)["errors"]:
                    Diagnostic(**error)


def _rank(problem: Diagnostic) -> Rank:
    """Return a key that is least for a short example with a place and a fix, and without a path of this machine."""
    text = str(problem)
    return "/tmp/" in text.replace(problem.file, ""), not problem.file, not problem.fix, len(text)


def replace_place(problem: Diagnostic) -> Diagnostic:
    """Return a diagnostic whose file has no folders."""
    return replace(problem, file=re.sub(r"\S*/", "", problem.file))


def _text(example: str | Diagnostic) -> str:
    text = "\n".join(problem_lines([replace_place(example)])) if isinstance(example, Diagnostic) else example
    return TEMPORARY.sub("", text)


def pytest_sessionfinish() -> None:
    write_examples()


def write_examples() -> None:
    """Write the examples of codes that have none."""
    for kind, name, original in _originals:
        setattr(kind, name, original) if original is not None else delattr(kind, name)
    text = TABLE.read_text("utf-8")
    for code, (_, found) in sorted(_found.items()):
        example = _text(found)
        entry = re.search(ENTRY.format(code), text, re.MULTILINE)
        is_usable = len(example) <= LONGEST and "/tmp/" not in example and "'''" not in example and "\\" not in example
        if entry is not None and "\nexample = " not in entry[0] and is_usable:
            text = text[: entry.end()] + f"example = '''\n{example}'''\n" + text[entry.end() :]
    TABLE.write_text(text, "utf-8")


COMMANDS = """
check docs/cases/us-2027 --full
plan docs/cases/us-2027 --quiet --out {new}/us-run
report {new}/us-run
plan {first} --out {new}/run --quiet
report {new}/run --format xlsx
report {new}/run --with why-not
report {new}/run --with why-not:nothing=quebec-gallium
report {new}/run --with compare
catalogs convert {first}/catalog {first}
catalogs check {first}/case.toml
rules show no-such-pack
plugins show no-such-plugin
compare {first} {first}
compare {first}
case roll {first} --to 2020-01-01 --run {new}/run --out {new}/next
case roll {first} --to 2028-01-01 --run {new}/us-run --out {new}/next
case roll docs/cases/us-2027 --to 2027-04-01 --run {new}/run --out {new}/next
lock {new}
verify {new}/run --signed-by {first}/case.toml
plugins check {new}
case to-xlsx {first} --out {new}/case.xlsx
case roll {new}/case.xlsx --to 2027-04-01 --run {new}/run --out {new}/next
sign {new}/run --key {new}/none.pem
catalogs convert {first}/catalog {first}/case.toml/copy
plan {first} --out {first}/case.toml/run --quiet
"""
"""Commands that print examples. `{first}` is a folder with the case of `friendshore init`, and `{new}` one to write to."""


def main() -> None:
    """Record what commands print about cases of `docs` and the first case. `uv run python -m tests.record_codes` runs this."""
    pytest_configure()
    _is_of_docs[-1] = True
    with TemporaryDirectory() as folder:
        first, new = Path(folder, "first"), Path(folder, "new")
        new.mkdir()
        for command in (f"init {first}", *COMMANDS.strip().splitlines()):
            CliRunner(env={"COLUMNS": "100"}).invoke(app, command.format(first=first, new=new).split())
    write_examples()


if __name__ == "__main__":
    main()
