"""The house in figures: who imports whom, cycles, sizes, modules with one client, and what types leave open.

    uv run python -m tests.house

Imports are those that stand in the code, within functions, under `TYPE_CHECKING` and in stubs too: what a reader has to follow. `Any` and `type: ignore`
are counted as words of the code, its comments included and its docstrings not.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp

CORE = Path(__file__).parents[1] / "core"
ROOT = "friendshore"


def imports() -> dict[str, set[str]]:
    """Module -> the modules that it imports."""
    graph = grimp.build_graph(ROOT, cache_dir=None)
    found = {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    for stub in (CORE / ROOT).rglob("__init__.pyi"):  # what such a package offers is imported when it is first used
        package = ".".join(stub.parent.relative_to(CORE).parts)
        stated = (node for node in ast.parse(stub.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom))
        found[package].update(f"{package}.{node.module}" for node in stated if node.level)  # others are in plugins
    return found


def packages(graph: Mapping[str, Iterable[str]], within: str) -> dict[str, set[str]]:
    """The same between what lies directly in a package: files, and folders with all that is in them."""

    def child(module: str) -> str | None:
        inside = module.removeprefix(f"{within}.")
        return None if inside == module else f"{within}.{inside.partition('.')[0]}"

    found: dict[str, set[str]] = {}
    for module, targets in graph.items():
        here = child(module)
        if here is not None:
            there = {child(target) for target in targets} - {None, here}
            found.setdefault(here, set()).update(name for name in there if name)
    return found


def cycle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """A way that leads back to where it began; empty: there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def cycles() -> dict[str, list[str]]:
    """Where a cycle is -> its way: among all modules, or between the parts of a package."""
    graph = imports()
    folders = {module.rpartition(".")[0] for module in graph} - {""}
    found = {"modules": cycle(graph)} | {folder: cycle(packages(graph, folder)) for folder in sorted(folders)}
    return {where: way for where, way in found.items() if way}


def clients() -> dict[str, set[str]]:
    """Module -> the modules that import it."""
    found: dict[str, set[str]] = {}
    for module, targets in imports().items():
        found.setdefault(module, set())
        for target in targets:
            found.setdefault(target, set()).add(module)
    return found


def words(path: Path) -> Counter[str]:
    """How often `Any` and `type: ignore` stand in a file."""
    found: Counter[str] = Counter()
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.NAME and token.string == "Any":
            found["Any"] += 1
        if token.type == tokenize.COMMENT and "type: ignore" in token.string:
            found["type: ignore"] += 1
    return found


def _size(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def told() -> Iterator[str]:
    """All of it, line by line."""
    files = sorted((CORE / ROOT).rglob("*.py"))
    by_package: dict[str, list[Path]] = {}
    for path in files:
        parts = path.relative_to(CORE / ROOT).parts
        by_package.setdefault(parts[0] if len(parts) > 1 else "(top)", []).append(path)
    graph = packages(imports(), ROOT)
    yield f"{'package':12} {'files':>5} {'lines':>6}  imports"
    for name, paths in by_package.items():
        targets = sorted(target.removeprefix(f"{ROOT}.") for target in graph.get(f"{ROOT}.{name}", ()))
        yield f"{name:12} {len(paths):5} {sum(map(_size, paths)):6}  {' '.join(targets)}"
    yield f"{'all':12} {len(files):5} {sum(map(_size, files)):6}"
    typed = sum(map(words, files), Counter[str]())
    yield f"Any: {typed['Any']}; type: ignore: {typed['type: ignore']}"
    alone = {module: next(iter(by)) for module, by in sorted(clients().items()) if len(by) == 1}
    yield f"{len(alone)} modules with one client:"
    yield from (f"  {module} <- {client}" for module, client in alone.items())
    found = cycles()
    yield f"{len(found)} cycles"
    yield from (f"  {where}: {' -> '.join(way)}" for where, way in found.items())


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in told())
