"""`verify` for many runs that are nearly the same: what it works out of the very same data a second time is remembered.

Only functions without effect are replaced, each by one that calls it once for the same arguments; `verify` itself is the real one.
"""

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
"""Results of one function that are remembered."""


@contextmanager
def remembered() -> Iterator[None]:
    """Replace the functions, and put them back: a case that another test edits at the same path must be read again."""
    # The functions in these modules have the modules' names.
    verifying = importlib.import_module("friendshore.recommend.verify_run")
    vouching = importlib.import_module("friendshore.recommend.recheck")
    with ExitStack() as stack:
        replace = partial(_replace, stack)
        # What is installed, and the case, stay as they are.
        replace(vouching, "read_catalogs", lambda refs, find: tuple(str(ref.folder) for ref in refs))
        replace(vouching, "_parts_of_catalog", _One)
        replace(vouching, "digest", _One)
        replace(Registry, "pack", lambda registry, name, folder=None: (registry, name, str(folder)))
        replace(verifying, "gather", lambda case, registry: str(case.file))
        # A file that was not changed is read once, and what follows from it worked out once.
        replace(run_folder, "_read_json", lambda path, found: None if found else (str(path), path.read_bytes()), 1)
        replace(run_folder, "record", lambda model, data, file: _One(data))
        replace(verifying, "recheck", lambda facts, run, registry, case: (_One(facts), _One(run), _One(case)))
        replace(verifying, "verdicts", _One)
        replace(verifying, "rows_of", lambda table, run, judged: (table.file, _One(run), _One(judged)))
        replace(run_folder, "_read", lambda folder, table, found: None if found else _bytes(folder / table.file), 2)
        replace(
            verifying, "_differing_derivations", lambda again: None if again.verified is None else _One(again.verified)
        )
        replace(verifying, "_differences_in_run_file", lambda told, run, file: (_One(told), _One(run)))
        replace(verifying, "differences_in_table", _table_key)
        yield


def _table_key(table: Table, told: object, expected: object, source: str = "") -> Hashable:
    return table.file, _One(told), _One(expected), source


def _bytes(file: Path) -> Hashable:
    return (file.name, file.read_bytes()) if file.is_file() else None


@dataclass(frozen=True, slots=True, eq=False)
class _One:
    """An object as a key: the very one, kept alive so that no other gets its place."""

    value: object

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _One) and self.value is other.value


def _replace(
    stack: ExitStack, holder: Any, name: str, key_of: Callable[..., Hashable], found: int | None = None
) -> None:
    """Replace a function until the stack is closed; `found` is the position of the argument that is the list of what is wrong, if any."""
    function = getattr(holder, name)
    results: OrderedDict[Hashable, Any] = OrderedDict()

    def remembered(*args: Any, **more: Any) -> Any:
        key = key_of(*args, **more)
        if key is None:
            return function(*args, **more)
        if key not in results:
            result = function(*args, **more)
            if result is None or (found is not None and args[found]):
                return result  # what is wrong was put into a list of the caller's, and must be put there again
            results[key] = result
            if len(results) > _MANY:
                results.popitem(last=False)
        return results[key]

    stack.callback(setattr, holder, name, function)
    setattr(holder, name, remembered)
