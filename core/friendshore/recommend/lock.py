"""Lock file beside a case: the data and code that determine its result. A plan can reject anything else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..domain.base import grouped
from ..domain.facts import Catalog
from ..errors import Diagnostic, InputError, PluginError
from ..plugins import changes, kind_digest
from ..plugins.interface import OWN
from ..reading.textfile import read_bytes
from ..rules.pack import RulePack
from ..writing import replace_file
from .facts import RECORD_NAMES
from .gather import Gathered
from .lock_file import Lock, Locked

ENGINES = ("friendshore", "highspy", "ortools")
"""Distributions whose version affects how a case is read, solved, and verified."""
_SHORT = 16
"""Digits stored of a record's hash, enough to identify a changed record. The overall hash is complete."""


def lock_of(gathered: Gathered) -> Lock:
    """Return a lock of the data and code of a gathered case.

    Raises:
        PluginError: If a kind of rule was given in memory, since it has no hash.
    """
    found = [_catalog(catalog) for catalog in gathered.catalogs]
    found += [_pack(pack, distribution) for pack, distribution in gathered.packs]
    found += _plugins(gathered)
    versions = {name: version(name) for name in ENGINES}
    return Lock(case=gathered.case.name, versions=versions, locked=tuple(sorted(found, key=_place)))


def write_lock(path: Path, lock: Lock) -> bool:
    """Write a lock file atomically, replacing an existing one. Return False if it is already up to date.

    Raises:
        InputError: If it can't be written, or the existing file isn't a lock.
    """
    text = json.dumps(lock.model_dump(mode="json", by_alias=True), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    try:
        there = read_bytes(path) if path.exists() else None
        if there == text.encode():
            return False
        if there is not None and not _is_lock(there):
            fix = "move it away, or delete it"
            raise InputError("is no lock that friendshore wrote, and is left as it is", str(path), fix=fix)
        replace_file(path, text.encode())
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise InputError(message, str(path), fix="make its folder one that you may write to") from error
    return True


def _is_lock(content: bytes) -> bool:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(data, dict) and {"schema", "case", "versions", "locked"} <= set(data)


def check_lock(lock: Lock, now: Lock, path: Path) -> None:
    """Reject data or code that differs from the lock.

    Raises:
        PluginError: With all differences, down to the record.
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


def _problem(message: str, path: Path, expected: str = "") -> Diagnostic:
    return Diagnostic(
        message,
        str(path),
        expected=expected,
        fix="put back what was locked, or look at the change and run `friendshore lock`",
    )


def _differs(before: Locked | None, after: Locked | None, path: Path) -> Iterator[Diagnostic]:
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
        changed = _first(changes(before.records, after.records)) or _UNTOLD.get(after.kind, "it changed")
        yield _problem(f"{what} ({_from(after)}) is not what was locked: {changed}", path)


def _from(locked: Locked) -> str:
    return locked.distribution or "a folder beside the case"


_UNTOLD = {"rule kind": "a file of its plugin changed", "reader": "it reads something else"}
"""Text for a change without changed records, by kind."""


def _first(found: Sequence[str]) -> str:
    return "; ".join([*found[:10], *([f"{len(found) - 10} more"] if len(found) > 10 else [])])


def _catalog(catalog: Catalog) -> Locked:
    about = catalog.model_dump_json(exclude={*_NAMES, "digest", "distribution"})
    return Locked(
        kind="catalog",
        name=catalog.name,
        distribution=catalog.distribution,
        digest=catalog.digest,
        records={"catalog.toml": _hash(about), **_entries(catalog)},
    )


_NAMES: Mapping[str, Callable[[Any], str]] = {
    **RECORD_NAMES,
    "aliases": lambda one: f"alias {one.old} ({one.told})",
}
"""Table of a catalog -> function that returns the name of a record. An alias is identified by its whole sentence."""


def _entries(catalog: Catalog) -> dict[str, str]:
    found: dict[str, str] = {}
    for table, name in _NAMES.items():
        texts = grouped((name(one), one.model_dump_json(exclude_defaults=True)) for one in getattr(catalog, table))
        found |= {key: _hash("\n".join(sorted(some))) for key, some in texts.items()}
    return found


def _pack(pack: RulePack, distribution: str) -> Locked:
    rules = {f"rule {rule['id']}": _hash(json.dumps(rule, sort_keys=True, default=str)) for rule in pack.rules}
    bills = {f"bill {bill.id}": _hash(bill.model_dump_json()) for bill in pack.bills}
    return Locked(kind="pack", name=pack.id, distribution=distribution, digest=pack.digest, records={**rules, **bills})


def _plugins(gathered: Gathered) -> Iterator[Locked]:
    """Yield the readings of readers, the rule kinds of plugins, and the plugins with all their files. friendshore's own kinds are covered by its version.

    Raises:
        PluginError: For a kind that was given in memory.
    """
    for kind in sorted({rule.kind for rule in gathered.rules}):
        if gathered.registry.owner(kind).partition(" ")[0] != OWN and not kind_digest(gathered.registry, kind):
            fix = "bring it with a plugin, or plan without a lock"
            raise PluginError(f"kind of rule `{kind}` was given in memory: nothing tells it from another", fix=fix)
    for used in gathered.plugins:
        if used.kind in ("plugin", "reader", "rule kind"):
            about = used.model_dump(include={"kind", "name", "distribution", "digest"})
            yield Locked(**about, records=used.files)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_SHORT]
