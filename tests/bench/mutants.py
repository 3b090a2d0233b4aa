"""Check whether the tests notice faults: small random changes of the code, each tried against the tests that run the changed line.

uv run python -m tests.bench.mutants --count 200 --seed 1

The first run of a commit records which test runs which line, which takes several minutes. A change is "detected" if one of these tests fails.
A list of the changes that no test detected is printed at the end. The repository itself is not changed: everything happens in a copy.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from coverage import CoverageData

PACKAGES = ("program", "verify", "rules")
SECONDS = 240
"""Time limit of a change's tests. A change that makes them run longer counts as detected, like one that makes them fail."""

_PAIRS = [(ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.Eq, ast.NotEq), (ast.Is, ast.IsNot), (ast.In, ast.NotIn)]
OPPOSITES: Mapping[type[ast.cmpop], type[ast.cmpop]] = dict(_PAIRS) | {b: a for a, b in _PAIRS}
OPERATORS: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult,
}  # fmt: skip


class Mutant(NamedTuple):
    """A change of one expression or statement of a file."""

    file: str
    line: int
    start: int
    end: int
    before: str
    after: str


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the node with one small fault, for each fault that fits it."""
    changed = copy.deepcopy(node)
    match changed:
        case ast.Compare(ops=[operator]) if type(operator) in OPPOSITES:
            changed.ops = [OPPOSITES[type(operator)]()]
            yield changed
        case ast.BoolOp(op=operator):
            changed.op = ast.Or() if isinstance(operator, ast.And) else ast.And()
            yield changed
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(op=operator) if type(operator) in OPERATORS:
            changed.op = OPERATORS[type(operator)]()
            yield changed
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.IfExp(test=test):
            changed.test = ast.UnaryOp(ast.Not(), test)
            yield changed
        case ast.Expr(value=ast.Call()) | ast.Continue():
            yield ast.Pass()
        case _:
            pass


def code(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that compute something: no annotations, decorators, bases, or formatted texts."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases") or isinstance(node, ast.JoinedStr):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from code(child)


def mutants(root: Path, packages: Sequence[str]) -> list[Mutant]:
    """Return every small change of the packages, in the order of the files."""
    changes = []
    for path in [file for name in packages for file in sorted((root / "core/friendshore" / name).rglob("*.py"))]:
        text, file = path.read_bytes(), str(path.relative_to(root))
        starts = [0, *accumulate(map(len, text.splitlines(keepends=True)))]
        for node in code(ast.parse(text)):
            for variant in variants(node):
                assert isinstance(node, ast.expr | ast.stmt)
                assert node.end_lineno is not None
                assert node.end_col_offset is not None
                start = starts[node.lineno - 1] + node.col_offset
                end = starts[node.end_lineno - 1] + node.end_col_offset
                after = ast.unparse(variant) if isinstance(node, ast.stmt) else f"({ast.unparse(variant)})"
                changes.append(Mutant(file, node.lineno, start, end, text[start:end].decode(), after))
    return changes


def tests_by_line(root: Path, record: Path) -> CoverageData:
    """Return which tests run which line, from the record if there is one for this commit."""
    if not record.exists():
        settings = root.parent / "coverage.ini"
        settings.write_text("[run]\nsource_pkgs = friendshore\nrelative_files = true\n")
        options = ["--cov", f"--cov-config={settings}", "--cov-context=test", "--cov-report="]
        command = [sys.executable, "-m", "pytest", *options, "-q", "-p", "no:cacheprovider"]
        subprocess.run(command, cwd=root, check=False, env=os.environ | {"COVERAGE_FILE": str(record)})
    data = CoverageData(str(record))
    data.read()
    return data


def detecting(root: Path, mutant: Mutant, tests: Sequence[str]) -> str | None:
    """Return the first failing test with the change made, "time" if they take too long, or None if all pass."""
    path = root / mutant.file
    original = path.read_bytes()
    path.write_bytes(original[: mutant.start] + mutant.after.encode() + original[mutant.end :])
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n0", "--no-header", "-p", "no:cacheprovider", *tests]
    try:
        run = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return "time"
    finally:
        path.write_bytes(original)
    if run.returncode == 0:
        return None
    failed = [line.split()[1] for line in run.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0] if failed else "pytest"


@contextmanager
def copied(commit: str) -> Iterator[Path]:
    """Check a commit out in a temporary folder, and let Python import friendshore and its plugins from there."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "copy"
        subprocess.run(["git", "worktree", "add", "--detach", str(root), commit], check=True, capture_output=True)
        os.environ["PYTHONPATH"] = os.pathsep.join(map(str, [root / "core", *(root / "plugins").glob("*/src")]))
        try:
            yield root
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(root)], check=True)


class Tests:
    """The tests that run each line."""

    def __init__(self, data: CoverageData) -> None:
        """Count the lines that each test runs."""
        self.data = data
        self.lines = Counter(
            test for file in data.measured_files() for tests in data.contexts_by_lineno(file).values() for test in tests
        )

    def of(self, mutant: Mutant) -> list[str]:
        """Return the tests that run the changed line, those first that run the fewest lines."""
        covering = self.data.contexts_by_lineno(mutant.file).get(mutant.line, [])
        return list(
            dict.fromkeys(test.split("|")[0] for test in sorted(covering, key=lambda test: self.lines[test]) if test)
        )


def main() -> None:
    """Draw changes, try each, and write which were detected."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tests", type=int, default=40, help="maximum number of tests per change")
    parser.add_argument("--commit", default="HEAD", help="commit whose code and tests are used")
    parser.add_argument("--record", type=Path, help="file that keeps which test runs which line, for a commit")
    options = parser.parse_args()
    missed: list[Mutant] = []
    with copied(options.commit) as root:
        tests = Tests(tests_by_line(root, (options.record or root.parent / "record").absolute()))
        for count, mutant in enumerate(random.Random(options.seed).sample(mutants(root, PACKAGES), options.count), 1):
            covering = tests.of(mutant)[: options.tests]
            test = detecting(root, mutant, covering) if covering else None
            if test is None:
                missed.append(mutant)
            summary = f"{mutant.file}:{mutant.line} {test or 'not detected'} ({len(covering)} tests)"
            sys.stdout.write(f"{count:4} {summary}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{options.count - len(missed)} of {options.count} changes detected; not detected:\n")
    for mutant in missed:
        sys.stdout.write(f"  {mutant.file}:{mutant.line}: {mutant.before!r} -> {mutant.after!r}\n")


if __name__ == "__main__":
    main()
