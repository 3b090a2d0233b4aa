"""Cached `verify` for many similar runs: pure functions are replaced by cached ones. `verify` itself is unchanged."""

from __future__ import annotations

import importlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from friendshore.plugins import Registry
from friendshore.reading.csvfile import Table
from friendshore.run import folder as run_folder

_MANY = 40
"""Maximum number of cached results of each function."""


@contextmanager
def cached_verify() -> Iterator[None]:
    """Cache the functions within a `with` block only, since other tests edit cases in place."""
    # The functions in these modules have the modules' names.
    verifying = importlib.import_module("friendshore.recommend.verify_run")
    vouching = importlib.import_module("friendshore.recommend.recheck")
    with ExitStack() as stack:
        replace = partial(_replace, stack)
        # Installed plugins and the case stay unchanged.
        replace(vouching, "read_catalogs", lambda refs, find: tuple(str(ref.folder) for ref in refs))
        replace(vouching, "_parts_of_catalog", _ById)
        replace(vouching, "digest", _ById)
        replace(Registry, "pack", lambda registry, name, folder=None: (registry, name, str(folder)))
        replace(verifying, "gather", lambda case, registry: str(case.file))
        # An unchanged file is read once, and its results are computed once.
        replace(
            run_folder, "_read_json", lambda path, problems: None if problems else (str(path), path.read_bytes()), 1
        )
        replace(run_folder, "record", lambda model, data, file: _ById(data))
        replace(verifying, "recheck", lambda facts, run, registry, case: (_ById(facts), _ById(run), _ById(case)))
        replace(verifying, "verdicts", _ById)
        replace(verifying, "rows_of", lambda table, run, judged: (table.file, _ById(run), _ById(judged)))
        replace(
            run_folder,
            "_read",
            lambda folder, table, problems: None if problems else _bytes(folder / table.file),
            2,
        )
        replace(
            verifying, "_differing_derivations", lambda again: None if again.verified is None else _ById(again.verified)
        )
        replace(verifying, "_differences_in_run_file", lambda stated, run, file: (_ById(stated), _ById(run)))
        replace(verifying, "differences_in_table", _table_key)
        yield


def _table_key(table: Table, stated: object, expected: object, source: str = "") -> Hashable:
    return table.file, _ById(stated), _ById(expected), source


def _bytes(file: Path) -> Hashable:
    return (file.name, file.read_bytes()) if file.is_file() else None


@dataclass(frozen=True, slots=True, eq=False)
class _ById:
    """Key for an object by identity, which keeps the object alive."""

    value: object

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and self.value is other.value


def _replace(
    stack: ExitStack, holder: Any, name: str, key_of: Callable[..., Hashable], problems_position: int | None = None
) -> None:
    """Cache a function until the stack is closed. `problems_position` is that of its argument for a list of problems, if any."""
    function = getattr(holder, name)
    results: OrderedDict[Hashable, Any] = OrderedDict()

    def cached(*args: Any, **more: Any) -> Any:
        key = key_of(*args, **more)
        if key is None:
            return function(*args, **more)
        if key not in results:
            result = function(*args, **more)
            if result is None or (problems_position is not None and args[problems_position]):
                return result  # it added problems to the caller's list, and must do so again
            results[key] = result
            if len(results) > _MANY:
                results.popitem(last=False)
        return results[key]

    stack.callback(setattr, holder, name, function)
    setattr(holder, name, cached)
