"""A lock file beside a case: which data and which code decide its result, so that a plan can refuse anything else."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ..domain.base import Record
from ..domain.facts import Catalog
from ..errors import InputError, PluginError, Problem
from ..plugins import Registry
from ..reading.records import record
from ..reading.textfile import read_text
from ..rules.pack import RulePack
from .gather import Gathered

LOCK_FILE = "friendshore.lock"
"""Name of the lock file, in the folder of the case."""
ENGINES = ("friendshore", "ortools")
"""Distributions whose version decides how a case is read, solved and verified."""
_SHORT = 16
"""Digits kept of the hash of one record: enough to tell which one changed; the whole is held by its own hash."""


class Locked(Record):
    """One catalog, pack or kind of rule, as it was when it was locked."""

    kind: Literal["catalog", "pack", "rule kind"]
    name: str
    distribution: str
    """Distribution and version that brought it; empty: it lay beside the case."""
    digest: str
    """SHA-256 of its data; of a kind of rule, of its plugin's code."""
    records: dict[str, str] = {}
    """Every record of it by its name, with the beginning of its hash: tells what changed."""


class Lock(Record):
    """All that decides the result of a case, beside the case itself."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    case: str
    versions: dict[str, str]
    """Of what reads, solves and verifies."""
    locked: tuple[Locked, ...]

    model_config = {**Record.model_config, "populate_by_name": True, "serialize_by_alias": True}


def lock_of(gathered: Gathered) -> Lock:
    """What a gathered case rests on as things are.

    Raises:
        PluginError: if a kind of rule was given in memory, so that nothing could tell it from another.
    """
    found = [_catalog(catalog) for catalog in gathered.catalogs]
    found += [_pack(pack, distribution) for pack, distribution in gathered.packs]
    found += _kinds(gathered)
    versions = {name: version(name) for name in ENGINES}
    return Lock(case=gathered.case.name, versions=versions, locked=tuple(sorted(found, key=_place)))


def read_lock(path: Path) -> Lock:
    """Reads a lock file.

    Raises:
        InputError: if it is not there or cannot be read.
    """
    fix = "write it with `friendshore lock`"
    problems: list[Problem] = []
    text = read_text(path, problems)
    if text is None:
        raise InputError([replace(problem, fix=fix) for problem in problems])
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(Problem(f"is no lock file: {error.msg}", str(path), row=error.lineno, fix=fix)) from error
    if not isinstance(data, dict):
        raise InputError(Problem("is no lock file", str(path), fix=fix))
    return record(Lock, data, str(path))


def write_lock(path: Path, lock: Lock) -> bool:
    """Writes a lock file under a temporary name and renames it; False: it says the same already, and is left alone.

    Raises:
        InputError: if it cannot be written.
    """
    text = json.dumps(lock.model_dump(mode="json", by_alias=True), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    new = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            return False
        new.write_text(text, encoding="utf-8", newline="\n")
        new.replace(path)
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot be written: {getattr(error, 'strerror', None) or error}"
        raise InputError(Problem(message, str(path), fix="make its folder one that you may write to")) from error
    finally:
        new.unlink(missing_ok=True)
    return True


def check_lock(lock: Lock, now: Lock, path: Path) -> None:
    """Refuses to go on where anything is not as it was locked.

    Raises:
        PluginError: naming everything that differs, down to the record.
    """
    before, after = ({_place(one): one for one in given.locked} for given in (lock, now))
    problems = [
        problem for key in sorted({*before, *after}) for problem in _differs(before.get(key), after.get(key), path)
    ]
    problems += [
        _problem(f"{name} {now.versions.get(name, 'none')} is installed", path, lock.versions.get(name, "none"))
        for name in ENGINES
        if lock.versions.get(name) != now.versions.get(name)
    ]
    if problems:
        raise PluginError(problems)


def _place(locked: Locked) -> tuple[str, str]:
    return locked.kind, locked.name


def _problem(message: str, path: Path, expected: str = "") -> Problem:
    return Problem(
        message,
        str(path),
        expected=expected,
        fix="put back what was locked, or look at the change and run `friendshore lock`",
    )


def _differs(before: Locked | None, after: Locked | None, path: Path) -> Iterator[Problem]:
    if before is None or after is None:
        given = after or before
        assert given is not None
        what = f"{given.kind} `{given.name}`"
        yield _problem(
            f"{what} is not in the lock" if before is None else f"{what} is locked, and no longer used", path
        )
        return
    what = f"{after.kind} `{after.name}`"
    if before.distribution != after.distribution:
        yield _problem(f"{what} comes from {_from(after)}", path, _from(before))
    if before.digest != after.digest:
        changed = "; ".join(_records(before.records, after.records))
        yield _problem(f"{what} ({_from(after)}) is not what was locked: {changed or 'its code'} changed", path)


def _from(locked: Locked) -> str:
    return locked.distribution or "a folder beside the case"


def _records(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """Names of records that are new, gone or other, the first ten."""
    names = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    yield from names[:10]
    if len(names) > 10:
        yield f"{len(names) - 10} more"


def _catalog(catalog: Catalog) -> Locked:
    return Locked(
        kind="catalog",
        name=catalog.name,
        distribution=catalog.distribution,
        digest=catalog.digest,
        records={**_about(catalog), **_entries(catalog)},
    )


def _about(catalog: Catalog) -> dict[str, str]:
    """What the catalog says of itself."""
    tables = set(_TABLES)
    return {"catalog.toml": _hash(catalog.model_dump_json(exclude={*tables, "digest", "distribution"}))}


_TABLES: dict[str, Callable[[Any], str]] = {
    "materials": lambda one: f"material {one.id}",
    "facilities": lambda one: f"facility {one.id}",
    "offers": lambda one: f"offer {one.id}",
    "schedules": lambda one: f"price schedule of {one.name}",
    "terms": lambda one: f"terms of {one.name}",
    "prices": lambda one: f"price {one.id} of {one.date}",
    "rates": lambda one: f"rate {one.currency} to {one.to} of {one.start}",
    "factors": lambda one: f"factor {one.element} in {one.compound}",
    "sources": lambda one: f"source {one.id}",
}
"""What a record of each table of a catalog is called."""


def _entries(catalog: Catalog) -> dict[str, str]:
    found: dict[str, str] = {}
    for table, name in _TABLES.items():
        texts: dict[str, list[str]] = {}
        for one in getattr(catalog, table):
            texts.setdefault(name(one), []).append(one.model_dump_json(exclude_defaults=True))
        found |= {key: _hash("\n".join(sorted(some))) for key, some in texts.items()}
    return found


def _pack(pack: RulePack, distribution: str) -> Locked:
    rules = {f"rule {rule['id']}": _hash(json.dumps(rule, sort_keys=True, default=str)) for rule in pack.rules}
    bills = {f"bill {bill.id}": _hash(bill.model_dump_json()) for bill in pack.bills}
    return Locked(kind="pack", name=pack.id, distribution=distribution, digest=pack.digest, records={**rules, **bills})


def _kinds(gathered: Gathered) -> Iterator[Locked]:
    """Kinds of rules that a plugin's code brings; friendshore's own go with its version."""
    for kind in sorted({rule.kind for rule in gathered.rules}):
        owner = gathered.registry.owner(kind)
        if owner.partition(" ")[0] != ENGINES[0]:
            package = _package(gathered.registry, owner)
            yield Locked(kind="rule kind", name=kind, distribution=owner, digest=_code(package))


def _package(registry: Registry, label: str) -> str:
    return next((plugin.package for plugin in registry.plugins if plugin.label == label), "")


def _code(package: str) -> str:
    """SHA-256 of all Python files of a package, found without importing it; empty where there are none."""
    spec = find_spec(package) if package else None
    folders = sorted(map(Path, (spec.submodule_search_locations or ()) if spec else ()))
    files = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return _hash_of([path.read_bytes() for path in files]) if files else ""


def _hash_of(parts: Sequence[bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "big") + part)
    return found.hexdigest()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_SHORT]
