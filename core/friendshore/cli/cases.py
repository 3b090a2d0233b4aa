"""`friendshore check`, `lock`, `init`, and `case`."""

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
from .host import host
from .options import AsJson, Blocked, CasePath, Strict, installed
from .output import answering, bare, dated, dated_data, print_problems, show, show_json, show_on_screen, wrote
from .waiting import progress_bar

app = typer.Typer(
    cls=Commands,
    help="Roll a case forward, write it as a workbook, or read the edits of a workbook as a scenario.",
    no_args_is_help=True,
)
_TEMPLATES = "templates"
_TEMPLATE_START = date(2026, 10, 1)
"""First day of the plan in the template of a case. Earlier dates are those of facts, which are invented on the day of writing."""
_MAX_YEAR = 9000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def templates(name: str) -> Iterator[tuple[PurePosixPath, str]]:
    yield from _texts(files(__package__) / _TEMPLATES / name, PurePosixPath())


def _texts(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    for entry in sorted(folder.iterdir(), key=lambda e: (e.is_dir(), e.name)):
        if entry.is_dir():
            yield from _texts(entry, path / entry.name)
        else:
            yield path / entry.name, entry.read_text(encoding="utf-8")


def write_new(folder: Path, contents: Mapping[PurePosixPath, str | bytes]) -> list[Path]:
    """Write all files below a folder or none. Raise `InputError` if one exists or can't be written."""
    bytes_by_path = {
        path: content.encode() if isinstance(content, str) else content for path, content in contents.items()
    }
    try:
        add_files(folder, bytes_by_path)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", str(folder), code="FS500") from error
    return [folder / path for path in contents]


def write_starter(folder: Path, start: date = _TEMPLATE_START) -> list[Path]:
    """Write the files of a first case that starts on `start`. Raise `InputError` if one exists."""
    from ..domain.time import add_months, today  # slow to import

    today_, months_later = today(), (start.year - _TEMPLATE_START.year) * 12 + start.month - _TEMPLATE_START.month

    def moved_date(match: re.Match[str]) -> str:
        day = date.fromisoformat(match[0])
        return str(add_months(day, months_later) if day >= _TEMPLATE_START else today_)

    return write_new(folder, {name: _DATE.sub(moved_date, text) for name, text in templates("case")})


def _first_day(word: str | None) -> date:
    """Return the first day of a plan, by default of the next quarter. Raise `InputError` if it isn't the first day of a month."""
    from ..domain.time import add_months, today  # slow to import

    if word is None:
        day = today()
        return add_months(date(day.year, day.month, 1), 3 - (day.month - 1) % 3)
    expected = "the first day of a month, like 2027-01-01"
    try:
        day = date.fromisoformat(word)
    except ValueError:
        raise InputError("not a date", column="--start", found=word, expected=expected, code="FS011") from None
    if day.day != 1 or day.year > _MAX_YEAR:
        raise InputError(
            "a plan can't start on this day", column="--start", found=word, expected=expected, code="FS012"
        )
    return day


@answering
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Folder to write to. Created if it doesn't exist.")
    ] = Path(),
    start: Annotated[
        str | None,
        typer.Option(
            "--start",
            metavar="DATE",
            help="First day of the plan, which must be the first day of a month. Default: start of the next quarter.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Write a small case with comments and a catalog. Overwrites nothing."""
    written = write_starter(folder, _first_day(start))
    wrote(as_json, written)
    if not as_json:
        bare(f"next: friendshore plan {folder / 'case.toml'}")
    return 0


@answering
def check(
    case: CasePath,
    strict: Strict = False,
    block: Blocked = None,
    full: Annotated[
        bool, typer.Option("--full", help="Print all suggestions instead of one screen of 50 lines.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """List all errors of a case and its catalogs, packs, and rules, and suggest additions. Solves nothing."""
    from ..domain.time import today
    from ..report import check_data, check_document

    with progress_bar(as_json, "reading", "rows"):
        checked = host().check(case, installed(block), strict=strict)
    document = check_document(checked, today())
    document = document if checked.errors else dated(document)
    if as_json:
        show_json(dated_data(check_data(checked, today())))
        host().also_show(lambda: document)
    else:
        show(document) if full else show_on_screen(document)  # the number of errors comes first
        print_problems(checked.errors, counted=False)
    return checked.exit_code


@answering
def lock(case: CasePath, block: Blocked = None, as_json: AsJson = False) -> int:
    """Write friendshore.lock beside a case: the version and hash of everything that affects its result, for `plan --locked`."""
    from pathlib import Path

    from ..case import load_case
    from ..recommend import LOCK_FILE, gather, lock_of, write_lock

    loaded = load_case(case)
    path = (loaded.folder or Path()) / LOCK_FILE
    lock_file = lock_of(gather(loaded, installed(block)))
    changed = write_lock(path, lock_file)
    if as_json:
        show_json({"wrote": str(path) if changed else "", "lock": lock_file.model_dump(mode="json", by_alias=True)})
    else:
        kinds = ", ".join(f"{locked.kind} {locked.name}" for locked in lock_file.locked)
        bare(f"{'wrote' if changed else 'unchanged:'} {path}: {kinds or 'no data or plugins'}")
    return 0
