"""`verify` for many runs that are nearly the same: what it works out of the very same data a second time is remembered.

Only functions without effect are replaced, each by one that calls it once for the same arguments; `verify` itself is the real one.
"""

from __future__ import annotations

import importlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from friendshore.plugins import Registry
from friendshore.recommend import vouch as vouching
from friendshore.run import folder as run_folder

_MANY = 40
"""Results of one function that are remembered."""


@contextmanager
def remembered() -> Iterator[None]:
    """Replace the functions, and put them back: a case that another test edits at the same path must be read again."""
    verifying = importlib.import_module("friendshore.recommend.verify_run")  # the function in it has its name
    with ExitStack() as stack:
        # What is installed, and the case, stay as they are.
        _replace(stack, vouching, "read_catalogs", lambda refs, find: tuple(str(ref.folder) for ref in refs))
        _replace(stack, vouching, "_of_catalog", _One)
        _replace(stack, vouching, "digest", _One)
        _replace(stack, Registry, "pack", lambda registry, name, folder=None: (registry, name, str(folder)))
        _replace(stack, verifying, "gather", lambda case, registry: str(case.file))
        # A file that was not changed is read once, and what follows from it worked out once.
        _replace(
            stack, run_folder, "_read_json", lambda path, found: None if found else (str(path), path.read_bytes()), 1
        )
        _replace(stack, run_folder, "record", lambda model, data, file: _One(data))
        _replace(stack, verifying, "recheck", lambda facts, run, registry, case: (_One(facts), _One(run), _One(case)))
        _replace(stack, verifying, "verdicts", _One)
        _replace(stack, verifying, "rows_of", lambda table, run, judged: (table.file, _One(run), _One(judged)))
        _replace(
            stack, run_folder, "_read", lambda folder, table, found: None if found else _bytes(folder / table.file), 2
        )
        _replace(
            stack, verifying, "_derived_again", lambda again: None if again.verified is None else _One(again.verified)
        )
        _replace(stack, verifying, "_in_run", lambda told, run, file: (_One(told), _One(run)))
        _replace(
            stack,
            verifying,
            "differences_in_table",
            lambda table, told, expected, source="": (table.file, _One(told), _One(expected), source),
        )
        yield


def _bytes(file: Path) -> Hashable:
    return (file.name, file.read_bytes()) if file.is_file() else None


class _One:
    """An object as a key: the very one, kept alive so that no other gets its place."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _One) and self.value is other.value


def _replace(
    stack: ExitStack, holder: Any, name: str, key_of: Callable[..., Hashable], found: int | None = None
) -> None:
    """Replace a function until the stack is closed.

    Args:
        found: position of the argument that is the list of what is wrong, if it has one.
    """
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
