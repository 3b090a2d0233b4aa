"""Run folders: written under a temporary name and then renamed, and read back with all that is wrong at once."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..domain.run import Run
from ..errors import FriendshoreError, InputError, Problem
from ..inert import json_inert
from ..reading.csvfile import Table, read_table
from ..reading.fields import Field, Kind, Layout
from ..reading.records import record
from ..reading.textfile import read_text
from .tables import TABLES, RunTable, RunVerdict, rows_of, table_text

RUN_FILE = "run.json"
FACTS_FILE = "facts.json"
FILES = (RUN_FILE, FACTS_FILE, *(table.file for table in TABLES))
"""All files of a run folder."""

_TEXT = Kind("text", str)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run folder as read."""

    folder: Path
    run: Run
    told: Mapping[str, Any]
    """`run.json` as it stands there."""
    facts: Mapping[str, Any]
    tables: Mapping[str, Table]
    """File -> table, its cells as texts."""


def json_text(data: object, *, ascii_only: bool = False) -> str:
    """JSON as it is written in files and on stdout: the same data give the same bytes.

    Args:
        data: what is written.
        ascii_only: whether every sign beyond ASCII is written by its number, for a stdout that lacks some.
    """
    return json_inert(json.dumps(data, indent=2, ensure_ascii=ascii_only)) + "\n"


def check_target(folder: Path) -> None:
    """Refuses a folder that a run may not be written to: only a new or empty one, or another run, is replaced.

    Raises:
        InputError: if anything else would be lost.
    """
    fix = "name a folder that does not exist yet"
    if folder.is_symlink() and not folder.exists():
        raise InputError(Problem("is a link that leads nowhere; it is left as it is", str(folder), fix=fix))
    if not folder.exists():
        for parent in folder.absolute().parents:
            if parent.exists():
                if not parent.is_dir():
                    raise InputError(
                        Problem(f"{parent} is a file, so no run can be written in it", str(folder), fix=fix)
                    )
                return
    if not folder.is_dir():
        raise InputError(Problem("is a file, not a run folder; it is left as it is", str(folder), fix=fix))
    names = sorted(entry.name for entry in folder.iterdir())
    strange = [name for name in names if name not in FILES]
    if strange:
        shown = ", ".join(strange[:5]) + (f" and {len(strange) - 5} more" if len(strange) > 5 else "")
        message = "holds what is not part of a run; it is left as it is"
        raise InputError(Problem(message, str(folder), found=shown, expected="a new folder, or one of a run", fix=fix))
    if names and RUN_FILE not in names:
        message = f"holds no {RUN_FILE}, so it is no run folder; it is left as it is"
        raise InputError(Problem(message, str(folder), found=", ".join(names), fix=fix))


def write_run(folder: Path, run: Run, facts: Mapping[str, Any], verdicts: Sequence[RunVerdict] = ()) -> None:
    """Writes a run folder; another run of that name is replaced only once this one is complete.

    Raises:
        InputError: if the folder holds anything but a run, or cannot be written.
    """
    check_target(folder)
    texts = {
        RUN_FILE: json_text(run.model_dump(mode="json", by_alias=True)),
        FACTS_FILE: json_text(facts),
        **{table.file: table_text(table, rows_of(table, run, verdicts)) for table in TABLES},
    }
    place = folder.resolve()
    new = place.with_name(f".{place.name}-{secrets.token_hex(4)}")
    try:
        new.mkdir(parents=True)
        for name, text in texts.items():
            (new / name).write_text(text, encoding="utf-8", newline="\n")
        _put_in_place(new, place)
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise InputError(Problem(message, str(folder), fix="choose a folder that you may write to")) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _put_in_place(new: Path, folder: Path) -> None:
    """Renames the new folder; one that was there is moved aside first, and comes back should that fail."""
    if not folder.exists():
        new.rename(folder)
        return
    old = new.with_name(new.name + "-old")
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old)


def read_run(folder: Path) -> RunFolder:
    """Reads a run folder back.

    Raises:
        InputError: with everything that cannot be read.
    """
    if folder.suffix == ".toml" or (folder / "case.toml").is_file() and not (folder / RUN_FILE).is_file():
        message = "this is a case, and not yet a run of it"
        fix = f"plan it first: `friendshore plan {folder} --out RUN`, then name RUN"
        raise InputError(Problem(message, str(folder), expected="a folder written by `plan --out`", fix=fix))
    if not folder.is_dir():
        message = "there is no such run folder"
        raise InputError(
            Problem(message, str(folder), expected="a folder written by `plan --out`", fix="check the path")
        )
    found: list[Problem] = []
    told = _read_json(folder / RUN_FILE, found)
    facts = _read_json(folder / FACTS_FILE, found)
    tables = {table.file: _read(folder, table, found) for table in TABLES}
    run: Run | None = None
    if told is not None:
        try:
            run = record(Run, told, str(folder / RUN_FILE))
        except FriendshoreError as error:
            found.extend(error.problems)
    if found or run is None or told is None or facts is None:
        raise InputError(found)
    return RunFolder(folder, run, told, facts, tables)


def _read(folder: Path, table: RunTable, found: list[Problem]) -> Table:
    fields = tuple(
        Field(name, _TEXT, f"column {name} of a run's {table.file}", required=False) for name in table.columns
    )
    read = read_table(folder / table.file, Layout(table.file, "", fields), found)
    if read.columns:
        missing = [name for name in table.columns if name not in read.columns]
        found += [Problem("a column is missing", str(folder / table.file), 1, name) for name in missing]
    return read


def _read_json(path: Path, found: list[Problem]) -> dict[str, Any] | None:
    text = read_text(path, found)
    if text is None:
        return None
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        found.append(Problem(f"is not valid JSON: {error.msg}", str(path), row=error.lineno))
        return None
    except ValueError:  # Python's own limit on the digits of a whole number
        found.append(Problem("holds a whole number of thousands of digits", str(path), fix="plan again"))
        return None
    except RecursionError:
        found.append(Problem("is nested too deeply to be read", str(path)))
        return None
    if not isinstance(data, dict):
        found.append(Problem("must hold one JSON object", str(path), found=type(data).__name__))
        return None
    return data
