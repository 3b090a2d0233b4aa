"""`friendshore check`, `lock`, `init`, and `case`. Also functions to write files from templates without overwriting any."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from ..errors import InputError
from ..writing import add_files
from .groups import Commands
from .options import AsJson, Blocked, CasePath, Strict, installed
from .output import answering, bare, complain, show, show_json, show_on_screen, wrote
from .waiting import progress_bar

app = typer.Typer(
    cls=Commands,
    help="Write a case as of a later day, or as one workbook; read what was edited in it as a scenario.",
    no_args_is_help=True,
)
_TEMPLATES = "templates"
_START = date(2026, 10, 1)
"""First day of the plan in the template of a case. Earlier dates are those of facts, which are invented on the day of writing."""
_LAST_YEAR = 9000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def templates(name: str) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield the files below the folder `name` of the templates: path within it, and text."""
    yield from _texts(files(__package__) / _TEMPLATES / name, PurePosixPath())


def _texts(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    for entry in sorted(folder.iterdir(), key=lambda e: (e.is_dir(), e.name)):
        if entry.is_dir():
            yield from _texts(entry, path / entry.name)
        else:
            yield path / entry.name, entry.read_text(encoding="utf-8")


def write_new(folder: Path, contents: Mapping[PurePosixPath, str | bytes]) -> list[Path]:
    """Write all files below a folder or none, and return their paths. The folder is created if necessary.

    Raises:
        InputError: If one exists or can't be written. Then nothing is overwritten.
    """
    given = {path: content.encode() if isinstance(content, str) else content for path, content in contents.items()}
    try:
        add_files(folder, given)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", str(folder)) from error
    return [folder / path for path in contents]


def write_starter(folder: Path, start: date = _START) -> list[Path]:
    """Write the files of a first case and return their paths.

    Args:
        folder: Folder to write to.
        start: First day of the plan. The dates in the case move with it by whole months.

    Raises:
        InputError: If a file exists already or can't be written. Then no file is written.
    """
    from ..domain.time import add_months, today  # loads models, which `--help` needs none of

    written, months = today(), (start.year - _START.year) * 12 + start.month - _START.month

    def moved(found: re.Match[str]) -> str:
        day = date.fromisoformat(found[0])
        return str(add_months(day, months) if day >= _START else written)

    return write_new(folder, {name: _DATE.sub(moved, text) for name, text in templates("case")})


def _first_day(word: str | None) -> date:
    """Return the first day of a plan: the given one, or the first day of the next quarter.

    Raises:
        InputError: If it isn't the first day of a month.
    """
    from ..domain.time import add_months, today  # see above

    if word is None:
        day = today()
        return add_months(date(day.year, day.month, 1), 3 - (day.month - 1) % 3)
    expected = "the first day of a month, like 2027-01-01"
    try:
        day = date.fromisoformat(word)
    except ValueError:
        raise InputError("no date", column="--start", found=word, expected=expected) from None
    if day.day != 1 or day.year > _LAST_YEAR:
        raise InputError("the plan can't start on this day", column="--start", found=word, expected=expected)
    return day


@answering
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Folder to write to; made if it is not there.")
    ] = Path(),
    start: Annotated[
        str | None,
        typer.Option(
            "--start",
            metavar="DATE",
            help="First day of the plan, and of a month; the first of the next quarter, if not given.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Write a small commented case with a catalog, which `plan` solves. Overwrites nothing."""
    written = write_starter(folder, _first_day(start))
    wrote(as_json, written)
    if not as_json:
        bare(f"now: friendshore plan {folder / 'case.toml'}")
    return 0


@answering
def check(
    case: CasePath,
    strict: Strict = False,
    block: Blocked = None,
    full: Annotated[
        bool, typer.Option("--full", help="Print every suggestion, not what one screen of 40 lines holds.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """List all errors of a case and its catalogs, packs, and rules, and suggest additions. Solves nothing."""
    from .. import recommend
    from ..domain.time import today
    from ..report import check_data, check_document

    with progress_bar(as_json, "reading", "rows"):
        found = recommend.check(case, installed(block), strict=strict)
    if as_json:
        show_json(check_data(found, today()))
    else:
        complain(found.errors, counted=False)
        told = check_document(found, today())
        show(told) if full else show_on_screen(told)
    return found.exit_code


@answering
def lock(case: CasePath, block: Blocked = None, as_json: AsJson = False) -> int:
    """Write friendshore.lock beside a case: the version and hash of everything that affects its result, for `plan --locked`."""
    from pathlib import Path

    from ..case import load_case
    from ..recommend import LOCK_FILE, gather, lock_of, write_lock

    read = load_case(case)
    path = (read.folder or Path()) / LOCK_FILE
    made = lock_of(gather(read, installed(block)))
    changed = write_lock(path, made)
    if as_json:
        show_json({"wrote": str(path) if changed else "", "lock": made.model_dump(mode="json", by_alias=True)})
    else:
        kinds = ", ".join(f"{one.kind} {one.name}" for one in made.locked)
        bare(f"{'wrote' if changed else 'unchanged:'} {path}: {kinds or 'nothing is used'}")
    return 0
