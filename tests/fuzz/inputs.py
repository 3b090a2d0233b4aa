"""One input: a folder that is bent by lot, and the commands that are then run on it."""

from __future__ import annotations

import csv
import json
import shutil
import tomllib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from . import commands, packages, seeds, tables, texts, tomltext, trees, workbooks

Command = tuple[str, ...]


@dataclass
class Input:
    """What is tried."""

    kind: str
    folder: Path
    """Folder that holds it, and that commands run in."""
    commands: list[Command] = field(default_factory=list)
    written: tuple[str, ...] = ()
    """What commands may write, below `folder`; all else must stay as it is."""
    site: Path | None = None
    """Folder of a plugin that is installed for it."""
    offers: tuple[str, ...] = ()
    materials: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    """Names that the case knew before it was bent."""


def make(number: int, seed: int, base: Path, folder: Path) -> Input:
    """Makes an input in an empty folder, of what lies in `base` (`seeds.make`); the same number and seed give the same."""
    lot = Random(f"{seed}:{number}")
    kind = lot.choices(list(KINDS), list(KINDS.values()))[0]
    made = Input(kind.__name__, folder)
    kind(made, base, lot)
    return made


def _copy(made: Input, base: Path, name: str) -> None:
    """A whole case, with the names that it knows."""
    folder = base / "cases" / name
    shutil.copytree(folder, made.folder, dirs_exist_ok=True)
    made.offers = _ids(folder / "catalog" / "offers.csv")
    made.materials = _ids(folder / "catalog" / "materials.csv")
    about = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    made.scenarios = tuple(scenario["name"] for scenario in about.get("scenario", []))


def _ids(file: Path) -> tuple[str, ...]:
    rows = tables.read(file.read_text(encoding="utf-8"))
    return tuple(row[rows[0].index("id")] for row in rows[1:])


def case(made: Input, base: Path, lot: Random) -> None:
    """A case file bent as data, as text, or by what lies around it."""
    _copy(made, base, lot.choice(seeds.CASES))
    _bend_toml(made.folder / "case.toml", lot)
    commands.on_case(made, lot)


def catalog(made: Input, base: Path, lot: Random) -> None:
    """The catalog of a case bent table by table."""
    _copy(made, base, lot.choice(seeds.CASES))
    for _ in range(lot.choice((1, 1, 2))):
        _bend_table(lot.choice(sorted((made.folder / "catalog").iterdir())), lot)
    commands.on_catalog(made, "catalog", lot)


def book(made: Input, base: Path, lot: Random) -> None:
    """The catalog of a case as a workbook, bent in its cells and as an archive."""
    _copy(made, base, lot.choice(seeds.CASES))
    folder = made.folder / "catalog"
    sheets = {path.stem: tables.read(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.csv"))}
    about = tomllib.loads((folder / "catalog.toml").read_text(encoding="utf-8"))
    sheets["catalog"] = [["key", "value"], *([key, _cell(value)] for key, value in about.items())]
    (made.folder / "catalog.xlsx").write_bytes(workbooks.workbook(sheets, lot))
    shutil.rmtree(folder)
    file = made.folder / "case.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"./catalog"', '"./catalog.xlsx"'), encoding="utf-8")
    commands.on_catalog(made, "catalog.xlsx", lot)


def sheets(made: Input, base: Path, lot: Random) -> None:
    """The workbook of a case, edited as nobody should, and as an archive; the case stands beside it."""
    name = lot.choice(seeds.CASES)
    _copy(made, base, name)
    data = (base / "books" / f"{name}.xlsx").read_bytes()
    (made.folder / "case.xlsx").write_bytes(workbooks.bent(data, lot))
    commands.on_sheets(made, lot)


def _cell(value: Any) -> str:
    return ";".join(map(str, value)) if isinstance(value, list) else str(value)


def run(made: Input, base: Path, lot: Random) -> None:
    """A run folder bent in what it tells, in its facts and in its tables."""
    name = lot.choice(seeds.CASES)
    _copy(made, base, name)
    folder = made.folder / "run"
    shutil.copytree(base / "runs" / name, folder)
    name = lot.choice(("facts.json", "facts.json", "run.json", "run.json", "table"))
    if name == "table":
        _bend_table(lot.choice(sorted(folder.glob("*.csv"))), lot)
    else:
        _bend_json(folder / name, lot, 0.85, lot.choice((1, 1, 2, 4)))
    if lot.random() < 0.05:
        texts.bend_folder(folder, lot)
    commands.on_run(made, lot)


def lock(made: Input, base: Path, lot: Random) -> None:
    """A lock file bent, and a plan that is held to it."""
    _copy(made, base, lot.choice(seeds.CASES))
    _bend_json(made.folder / "friendshore.lock", lot, 0.7, lot.choice((1, 2)))
    made.commands = [("plan", "case.toml", "--locked", *commands.LIMITED, *commands.as_json(lot))]


def _bend_json(file: Path, lot: Random, share: float, times: int) -> None:
    """A JSON file: as data in a share of cases, else as bytes."""
    if lot.random() < share:
        data = json.loads(file.read_text(encoding="utf-8"))
        trees.bend(data, lot, times)
        file.write_text(json.dumps(data), encoding="utf-8", errors="surrogatepass")
    else:
        file.write_bytes(texts.bend_bytes(file.read_bytes(), lot))


def words(made: Input, base: Path, lot: Random) -> None:
    """A case that is well, and a command line that is not."""
    name = lot.choice(seeds.CASES)
    _copy(made, base, name)
    shutil.copytree(base / "runs" / name, made.folder / "run")
    commands.hostile(made, lot)


def pack(made: Input, base: Path, lot: Random) -> None:
    """A rule pack bent, named by a case as a folder."""
    _copy(made, base, seeds.FIRST)
    source = lot.choice(sorted(seeds.REPOSITORY.glob("plugins/*/src/*/packs/*/pack.toml")))
    shutil.copytree(source.parent, made.folder / "law")
    file = made.folder / "case.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("packs = []", 'packs = ["./law"]'), encoding="utf-8")
    _bend_toml(made.folder / "law" / lot.choice(("pack.toml", "pack.toml", "vectors.toml")), lot)
    commands.on_pack(made, lot)


def plugin(made: Input, base: Path, lot: Random) -> None:
    """An installed plugin bent in its manifest, its code, its data or the record of its installation."""
    shutil.copytree(base / "site", made.folder / "site")
    shutil.copytree(base / "site-case", made.folder, dirs_exist_ok=True)
    made.site = made.folder / "site"
    packages.bend(made.site, lot)
    commands.on_plugin(made, lot)


Kind = Callable[[Input, Path, Random], None]
KINDS: dict[Kind, int] = {case: 28, catalog: 24, book: 12, sheets: 10, run: 20, pack: 6, lock: 3, words: 4, plugin: 3}
"""What is tried, and how often; less often what takes long."""


def _bend_toml(file: Path, lot: Random) -> None:
    """A TOML file: as data where it is to go deep, else as text; now and then the folder around it."""
    draw = lot.random()
    if draw < 0.05:
        texts.bend_folder(file.parent, lot)
    elif draw < 0.3 or (data := _read(file, tomllib.loads)) is None:
        _bend_bytes(file, lot)
    else:
        trees.bend(data, lot, lot.choice((1, 1, 1, 2, 3)))
        with suppress(RecursionError):
            file.write_text(tomltext.toml_text(data), encoding="utf-8", errors="surrogatepass")


def _read(file: Path, parse: Callable[[str], Any]) -> Any:
    """What a file says; None if it has been bent before, so that it cannot be read any longer."""
    try:
        return parse(file.read_text(encoding="utf-8")) if file.is_file() else None
    except (ValueError, RecursionError, csv.Error):
        return None


def _bend_bytes(file: Path, lot: Random) -> None:
    if file.is_file():  # and not a folder, a pipe or a link to nothing by now
        file.write_bytes(texts.bend_bytes(file.read_bytes(), lot))


def _bend_table(file: Path, lot: Random) -> None:
    """A file of a catalog, or a table of a run."""
    draw = lot.random()
    if file.suffix == ".toml" and draw < 0.8:
        _bend_toml(file, lot)
    elif draw < 0.05:
        texts.bend_folder(file.parent, lot)
    elif draw < 0.2 or file.suffix != ".csv" or (rows := _read(file, tables.read)) is None:
        _bend_bytes(file, lot)
    else:
        tables.bend(rows, lot, lot.choice((1, 1, 1, 2, 4)))
        file.write_text(tables.written(rows, lot), encoding="utf-8", errors="surrogatepass", newline="")
