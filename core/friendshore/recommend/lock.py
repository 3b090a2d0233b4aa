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
_HASH_DIGITS = 16
"""Digits stored of a record's hash, enough to identify a changed record. The overall hash is complete."""


def lock_of(gathered: Gathered) -> Lock:
    """Return a lock of the data and code of a gathered case. A rule kind that was given in memory is an error."""
    entries = [_locked_catalog(catalog) for catalog in gathered.catalogs]
    entries += [_locked_pack(pack, distribution) for pack, distribution in gathered.packs]
    entries += _locked_plugins(gathered)
    versions = {name: version(name) for name in ENGINES}
    return Lock(case=gathered.case.name, versions=versions, locked=tuple(sorted(entries, key=_key)))


def write_lock(path: Path, lock: Lock) -> bool:
    """Write a lock file atomically, replacing an existing one. Return False if it is already up to date."""
    text = json.dumps(lock.model_dump(mode="json", by_alias=True), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    try:
        existing = read_bytes(path) if path.exists() else None
        if existing == text.encode():
            return False
        if existing is not None and not _is_lock(existing):
            message = "isn't a lock that friendshore wrote, and wasn't replaced"
            raise InputError(message, str(path), fix="move it away, or delete it", code="FS622")
        replace_file(path, text.encode())
    except OSError as error:
        message = f"can't be written: {error.strerror or error}"
        raise InputError(message, str(path), fix="make its folder writable", code="FS604") from error
    return True


def _is_lock(content: bytes) -> bool:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(data, dict) and {"schema", "case", "versions", "locked"} <= set(data)


def check_lock(lock: Lock, now: Lock, path: Path) -> None:
    locked, current = ({_key(entry): entry for entry in side.locked} for side in (lock, now))
    problems = [
        problem
        for key in sorted({*locked, *current})
        for problem in _differences(locked.get(key), current.get(key), path)
    ]
    problems += [
        _problem(f"{name} {now.versions.get(name, 'none')} is installed", path, lock.versions.get(name, "none"))
        for name in ENGINES
        if lock.versions.get(name) != now.versions.get(name)
    ]
    if problems:
        raise PluginError(problems)


def _key(locked: Locked) -> tuple[str, str]:
    return locked.kind, locked.name


def _problem(message: str, path: Path, expected: str = "") -> Diagnostic:
    return Diagnostic(
        message,
        str(path),
        expected=expected,
        fix="restore the locked version, or review the change and run `friendshore lock`",
        code="FS620",
    )


def _differences(before: Locked | None, after: Locked | None, path: Path) -> Iterator[Diagnostic]:
    if before is None or after is None:
        entry = after or before
        assert entry is not None
        subject = f"{entry.kind} `{entry.name}`"
        yield _problem(
            f"{subject} isn't in the lock" if before is None else f"{subject} is locked, but no longer used", path
        )
        return
    subject = f"{after.kind} `{after.name}`"
    if before.distribution != after.distribution:
        yield _problem(f"{subject} comes from {_from(after)}", path, _from(before))
    if before.digest != after.digest:
        change = _first_ten(changes(before.records, after.records)) or _UNRECORDED_CHANGES.get(after.kind, "it changed")
        yield _problem(f"{subject} ({_from(after)}) differs from the lock: {change}", path)


def _from(locked: Locked) -> str:
    return locked.distribution or "a folder beside the case"


_UNRECORDED_CHANGES = {"rule kind": "a file of its plugin changed", "reader": "its data changed"}
"""Text for a change without changed records, by kind."""


def _first_ten(changes: Sequence[str]) -> str:
    return "; ".join([*changes[:10], *([f"{len(changes) - 10} more"] if len(changes) > 10 else [])])


def _locked_catalog(catalog: Catalog) -> Locked:
    heading = catalog.model_dump_json(exclude={*_NAME_BY_TABLE, "digest", "distribution"})
    return Locked(
        kind="catalog",
        name=catalog.name,
        distribution=catalog.distribution,
        digest=catalog.digest,
        records={"catalog.toml": _hash(heading), **_entries(catalog)},
    )


_NAME_BY_TABLE: Mapping[str, Callable[[Any], str]] = {
    **RECORD_NAMES,
    "aliases": lambda alias: f"alias {alias.old} ({alias.text})",
}
"""Table of a catalog -> function that returns the name of a record. An alias is identified by its whole sentence."""


def _entries(catalog: Catalog) -> dict[str, str]:
    hashes: dict[str, str] = {}
    for table, name_of in _NAME_BY_TABLE.items():
        texts = grouped(
            (name_of(record), record.model_dump_json(exclude_defaults=True)) for record in getattr(catalog, table)
        )
        hashes |= {key: _hash("\n".join(sorted(group))) for key, group in texts.items()}
    return hashes


def _locked_pack(pack: RulePack, distribution: str) -> Locked:
    rules = {f"rule {rule['id']}": _hash(json.dumps(rule, sort_keys=True, default=str)) for rule in pack.rules}
    bills = {f"bill {bill.id}": _hash(bill.model_dump_json()) for bill in pack.bills}
    return Locked(kind="pack", name=pack.id, distribution=distribution, digest=pack.digest, records={**rules, **bills})


def _locked_plugins(gathered: Gathered) -> Iterator[Locked]:
    """Yield the readers, the rule kinds of plugins, and the plugins with all their files. The version of friendshore covers its own kinds."""
    for kind in sorted({rule.kind for rule in gathered.rules}):
        if gathered.registry.owner(kind).partition(" ")[0] != OWN and not kind_digest(gathered.registry, kind):
            fix = "provide it by a plugin, or plan without a lock"
            raise PluginError(f"rule kind `{kind}` was given in memory, so it can't be locked", fix=fix, code="FS621")
    for used in gathered.plugins:
        if used.kind in ("plugin", "reader", "rule kind"):
            fields = used.model_dump(include={"kind", "name", "distribution", "digest"})
            yield Locked(**fields, records=used.files)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_DIGITS]
