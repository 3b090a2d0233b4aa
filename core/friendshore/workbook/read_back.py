"""The edits of a workbook as a scenario: found, proved, stated as a case file states it, and written into the case when that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..case.book import read_case_workbook
from ..domain.case import Scenario
from ..errors import Diagnostic, InputError
from ..reading.tomlfile import TomlFile, read_section, toml_data, toml_text
from ..reading.workbook import is_workbook
from ..recommend.gather import Gathered
from ..rules.keys import SCENARIO, scenario
from ..writing import replace_file
from .changes import scenario_of
from .tables import case_tables


@dataclass(frozen=True, slots=True)
class Edits:
    """What was edited in the workbook of a case."""

    scenario: Scenario
    """Without a change: nothing was edited."""
    toml: str
    """The scenario as a case file states it; empty where there is none."""


def edits_of(path: Path, gathered: Gathered, name: str) -> Edits:
    """What was edited in a workbook since it was written, as a scenario of the case of today.

    Args:
        path: the workbook.
        gathered: the case of today, with all that it names.
        name: what the scenario is to be called.

    Raises:
        InputError: with everything that is wrong, by its cell; or if the workbook is of another case, or the name is taken.
    """
    case = gathered.case
    if any(one.name == name for one in case.scenarios):
        fix = "call it otherwise, or delete that one"
        raise InputError(f"the case has a scenario `{name}`", str(case.file or case.name), column="scenario", fix=fix)
    found: list[Diagnostic] = []
    book = read_case_workbook(path, found)
    if book.case != case.name:
        expected = f"a workbook of the case `{case.name}`"
        raise InputError("is the workbook of another case", str(path), found=f"`{book.case}`", expected=expected)
    changes = scenario_of(book, case_tables(gathered), found)
    title = f"Edits of {path.name}"
    try:
        made = Scenario(name=name, title=title, change=changes)
    except ValueError as error:
        raise InputError(
            "is no name of a scenario", found=f"`{name}`", expected="letters, digits, `-` and `_`"
        ) from error
    if not changes:
        return Edits(made, "")
    stated = {"name": name, "title": title, "change": [change.as_written(case.currency) for change in changes]}
    return Edits(made, toml_text({"scenario": [stated]}))


def with_scenario(file: Path, edits: Edits) -> None:
    """Writes a scenario at the end of a case file, once it is sure that it reads back as it is.

    Raises:
        InputError: if it does not, or the file cannot be read, or is a workbook.
        OSError: if it cannot be written.
    """
    if is_workbook(file):
        fix = "leave `--write` out, and put what is printed into the case file; or edit the cells of the workbook"
        raise InputError("is a workbook, and scenarios are written into case files", str(file), fix=fix)
    try:
        before = file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise InputError("is not UTF-8 text", str(file)) from error
    end = "\r\n" if "\r\n" in before else "\n"
    text = before.rstrip() + end * 2 + edits.toml.replace("\n", end)
    data = toml_data(text.removeprefix("\ufeff"), str(file))
    found: list[Diagnostic] = []
    last = data["scenario"][-1]
    again = scenario(read_section(TomlFile(str(file), last, {}, found), SCENARIO, last))
    if found or again != edits.scenario:
        raise InputError("the scenario would not read back as it is, and is not written", str(file))
    replace_file(file, text.encode())
