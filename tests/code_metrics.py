"""Code metrics: imports, cycles, sizes, modules with one client, and uses of `Any`.

    uv run python -m tests.code_metrics

Imports include those in functions, under `TYPE_CHECKING`, and in stubs. `Any` and `type: ignore` are counted in code and comments.
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
    """Return module -> modules that it imports."""
    graph = grimp.build_graph(ROOT, cache_dir=None)
    targets_by_module = {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    for stub in (CORE / ROOT).rglob("__init__.pyi"):  # these packages import on first use
        package = ".".join(stub.parent.relative_to(CORE).parts)
        imports_of_stub = (
            node for node in ast.parse(stub.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)
        )
        targets_by_module[package].update(
            f"{package}.{node.module}" for node in imports_of_stub if node.level
        )  # others are in plugins
    return targets_by_module


def packages(graph: Mapping[str, Iterable[str]], within: str) -> dict[str, set[str]]:
    """Return the same for the files and folders of a package."""

    def child(module: str) -> str | None:
        inside = module.removeprefix(f"{within}.")
        return None if inside == module else f"{within}.{inside.partition('.')[0]}"

    targets_by_part: dict[str, set[str]] = {}
    for module, targets in graph.items():
        source = child(module)
        if source is not None:
            targets_of_module = {child(target) for target in targets} - {None, source}
            targets_by_part.setdefault(source, set()).update(name for name in targets_of_module if name)
    return targets_by_part


def cycle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """Return a cycle as a path back to its start. Empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def cycles() -> dict[str, list[str]]:
    """Return place -> cycle, among all modules and between the parts of each package."""
    graph = imports()
    folders = {module.rpartition(".")[0] for module in graph} - {""}
    cycle_by_place = {"modules": cycle(graph)} | {folder: cycle(packages(graph, folder)) for folder in sorted(folders)}
    return {place: cycle_modules for place, cycle_modules in cycle_by_place.items() if cycle_modules}


def clients() -> dict[str, set[str]]:
    """Return module -> modules that import it."""
    clients_by_module: dict[str, set[str]] = {}
    for module, targets in imports().items():
        clients_by_module.setdefault(module, set())
        for target in targets:
            clients_by_module.setdefault(target, set()).add(module)
    return clients_by_module


def words(path: Path) -> Counter[str]:
    """Count `Any` and `type: ignore` in a file."""
    counts: Counter[str] = Counter()
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.NAME and token.string == "Any":
            counts["Any"] += 1
        if token.type == tokenize.COMMENT and "type: ignore" in token.string:
            counts["type: ignore"] += 1
    return counts


def _size(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def report_lines() -> Iterator[str]:
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
    counts = sum(map(words, files), Counter[str]())
    yield f"Any: {counts['Any']}; type: ignore: {counts['type: ignore']}"
    only_client = {module: next(iter(by)) for module, by in sorted(clients().items()) if len(by) == 1}
    yield f"{len(only_client)} modules with one client:"
    yield from (f"  {module} <- {client}" for module, client in only_client.items())
    cycles_found = cycles()
    yield f"{len(cycles_found)} cycles"
    yield from (f"  {place}: {' -> '.join(path_of_cycle)}" for place, path_of_cycle in cycles_found.items())


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in report_lines())
