"""One input: a randomly mutated folder, and the commands to run on it."""

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
    """A mutated folder with its commands."""

    kind: str
    folder: Path
    """Working directory of the commands."""
    commands: list[Command] = field(default_factory=list)
    written: tuple[str, ...] = ()
    """Paths below `folder` that commands may write. All others must stay unchanged."""
    site: Path | None = None
    """Folder of an installed plugin."""
    offers: tuple[str, ...] = ()
    materials: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    """Names in the case before it was mutated."""


def make(number: int, seed: int, base: Path, folder: Path) -> Input:
    """Create an input in an empty folder from `base` (`seeds.make`). The same number and seed give the same input."""
    rng = Random(f"{seed}:{number}")
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    target = Input(kind.__name__, folder)
    kind(target, base, rng)
    return target


def _copy(target: Input, base: Path, name: str) -> None:
    """Copy a case, with its names."""
    folder = base / "cases" / name
    shutil.copytree(folder, target.folder, dirs_exist_ok=True)
    target.offers = _ids(folder / "catalog" / "offers.csv")
    target.materials = _ids(folder / "catalog" / "materials.csv")
    about = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    target.scenarios = tuple(scenario["name"] for scenario in about.get("scenario", []))


def _ids(file: Path) -> tuple[str, ...]:
    rows = tables.read(file.read_text(encoding="utf-8"))
    return tuple(row[rows[0].index("id")] for row in rows[1:])


def case(target: Input, base: Path, rng: Random) -> None:
    """Mutate a case file as data, as text, or by its folder."""
    _copy(target, base, rng.choice(seeds.CASES))
    _mutate_toml(target.folder / "case.toml", rng)
    commands.on_case(target, rng)


def catalog(target: Input, base: Path, rng: Random) -> None:
    _copy(target, base, rng.choice(seeds.CASES))
    for _ in range(rng.choice((1, 1, 2))):
        _mutate_table(rng.choice(sorted((target.folder / "catalog").iterdir())), rng)
    commands.on_catalog(target, "catalog", rng)


def book(target: Input, base: Path, rng: Random) -> None:
    """Write the catalog of a case as a workbook, and mutate its cells and archive."""
    _copy(target, base, rng.choice(seeds.CASES))
    folder = target.folder / "catalog"
    sheets = {path.stem: tables.read(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.csv"))}
    about = tomllib.loads((folder / "catalog.toml").read_text(encoding="utf-8"))
    sheets["catalog"] = [["key", "value"], *([key, _cell(value)] for key, value in about.items())]
    (target.folder / "catalog.xlsx").write_bytes(workbooks.workbook(sheets, rng))
    shutil.rmtree(folder)
    file = target.folder / "case.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"./catalog"', '"./catalog.xlsx"'), encoding="utf-8")
    commands.on_catalog(target, "catalog.xlsx", rng)


def sheets(target: Input, base: Path, rng: Random) -> None:
    """Mutate the workbook of a case, next to the case."""
    name = rng.choice(seeds.CASES)
    _copy(target, base, name)
    data = (base / "books" / f"{name}.xlsx").read_bytes()
    (target.folder / "case.xlsx").write_bytes(workbooks.mutated(data, rng))
    commands.on_sheets(target, rng)


def _cell(value: Any) -> str:
    return ";".join(map(str, value)) if isinstance(value, list) else str(value)


def run(target: Input, base: Path, rng: Random) -> None:
    """Mutate the facts, figures, and tables of a run folder."""
    name = rng.choice(seeds.CASES)
    _copy(target, base, name)
    folder = target.folder / "run"
    shutil.copytree(base / "runs" / name, folder)
    name = rng.choice(("facts.json", "facts.json", "run.json", "run.json", "table"))
    if name == "table":
        _mutate_table(rng.choice(sorted(folder.glob("*.csv"))), rng)
    else:
        _mutate_json(folder / name, rng, 0.85, rng.choice((1, 1, 2, 4)))
    if rng.random() < 0.05:
        texts.mutate_folder(folder, rng)
    commands.on_run(target, rng)


def lock(target: Input, base: Path, rng: Random) -> None:
    """Mutate a lock file, and plan with it."""
    _copy(target, base, rng.choice(seeds.CASES))
    _mutate_json(target.folder / "friendshore.lock", rng, 0.7, rng.choice((1, 2)))
    target.commands = [("plan", "case.toml", "--locked", *commands.LIMITED, *commands.as_json(rng))]


def _mutate_json(file: Path, rng: Random, share: float, times: int) -> None:
    """Mutate a JSON file as data with probability `share`, else as bytes."""
    if rng.random() < share:
        data = json.loads(file.read_text(encoding="utf-8"))
        trees.mutate(data, rng, times)
        file.write_text(json.dumps(data), encoding="utf-8", errors="surrogatepass")
    else:
        file.write_bytes(texts.mutate_bytes(file.read_bytes(), rng))


def words(target: Input, base: Path, rng: Random) -> None:
    """Combine a valid case with an invalid command line."""
    name = rng.choice(seeds.CASES)
    _copy(target, base, name)
    shutil.copytree(base / "runs" / name, target.folder / "run")
    commands.hostile(target, rng)


def pack(target: Input, base: Path, rng: Random) -> None:
    _copy(target, base, seeds.FIRST)
    source = rng.choice(sorted(seeds.REPOSITORY.glob("plugins/*/src/*/packs/*/pack.toml")))
    shutil.copytree(source.parent, target.folder / "law")
    file = target.folder / "case.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("packs = []", 'packs = ["./law"]'), encoding="utf-8")
    _mutate_toml(target.folder / "law" / rng.choice(("pack.toml", "pack.toml", "vectors.toml")), rng)
    commands.on_pack(target, rng)


def plugin(target: Input, base: Path, rng: Random) -> None:
    """Mutate the manifest, code, data, or installation record of a plugin."""
    shutil.copytree(base / "site", target.folder / "site")
    shutil.copytree(base / "site-case", target.folder, dirs_exist_ok=True)
    target.site = target.folder / "site"
    packages.mutate(target.site, rng)
    commands.on_plugin(target, rng)


Kind = Callable[[Input, Path, Random], None]
KINDS: dict[Kind, int] = {case: 28, catalog: 24, book: 12, sheets: 10, run: 20, pack: 6, lock: 3, words: 4, plugin: 3}
"""Kind of input -> relative frequency. Slow ones are rarer."""


def _mutate_toml(file: Path, rng: Random) -> None:
    """Mutate a TOML file as data or as text, or sometimes its folder."""
    draw = rng.random()
    if draw < 0.05:
        texts.mutate_folder(file.parent, rng)
    elif draw < 0.3 or (data := _read(file, tomllib.loads)) is None:
        _mutate_bytes(file, rng)
    else:
        trees.mutate(data, rng, rng.choice((1, 1, 1, 2, 3)))
        with suppress(RecursionError):
            file.write_text(tomltext.toml_text(data), encoding="utf-8", errors="surrogatepass")


def _read(file: Path, parse: Callable[[str], Any]) -> Any:
    """Return the data in a file. None if an earlier mutation made it unreadable."""
    try:
        return parse(file.read_text(encoding="utf-8")) if file.is_file() else None
    except (ValueError, RecursionError, csv.Error):
        return None


def _mutate_bytes(file: Path, rng: Random) -> None:
    if file.is_file():  # and not a folder, a pipe or a link to nothing by now
        file.write_bytes(texts.mutate_bytes(file.read_bytes(), rng))


def _mutate_table(file: Path, rng: Random) -> None:
    """Mutate a file of a catalog, or a table of a run."""
    draw = rng.random()
    if file.suffix == ".toml" and draw < 0.8:
        _mutate_toml(file, rng)
    elif draw < 0.05:
        texts.mutate_folder(file.parent, rng)
    elif draw < 0.2 or file.suffix != ".csv" or (rows := _read(file, tables.read)) is None:
        _mutate_bytes(file, rng)
    else:
        tables.mutate(rows, rng, rng.choice((1, 1, 1, 2, 4)))
        file.write_text(tables.written(rows, rng), encoding="utf-8", errors="surrogatepass", newline="")
