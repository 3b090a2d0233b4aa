"""Every diagnostic has a code, and every code is explained."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.reference.pages import ROOT, codes

SOURCES = [*(ROOT / "core").rglob("*.py"), *(ROOT / "catalogs").rglob("*.py"), *ROOT.glob("plugins/*/src/**/*.py")]


def test_the_table_has_exactly_the_codes_in_the_source() -> None:
    """A code that nothing uses, or that isn't explained, is a mistake."""
    used = {code for path in SOURCES for code in re.findall(r'"(FS\d{3})"', path.read_text("utf-8"))}
    assert used == set(codes()) - {"area"}


ERRORS = {
    "Diagnostic",
    "RowDiagnostic",
    "Fault",
    "InputError",
    "OptionsError",
    "PluginError",
    "SolverError",
    "VerificationError",
}
POSITION_OF_CODE = {"Fault": 6}
"""Position of `code` among the arguments, if it isn't 7."""


def without_code() -> Iterator[str]:
    """Yield the calls that create a diagnostic without a code. An error made of diagnostics has theirs."""
    called = re.compile(rf"\b(?:{'|'.join(ERRORS)})\(")
    for text, path in ((path.read_text("utf-8"), path) for path in SOURCES):
        for node in ast.walk(ast.parse(text)) if called.search(text) else ():
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in ERRORS:
                continue
            arguments = len(node.args) + len(node.keywords)
            is_coded = any(keyword.arg in ("code", None) for keyword in node.keywords)
            is_coded |= len(node.args) > POSITION_OF_CODE.get(node.func.id, 7)
            wraps = arguments == len(node.args) == 1 and not isinstance(node.args[0], ast.Constant | ast.JoinedStr)
            if arguments and not is_coded and not wraps:
                yield f"{path}:{node.lineno}"


def test_every_diagnostic_has_a_code() -> None:
    """Applications and tests compare codes, so a message without one can't be handled."""
    assert list(without_code()) == []
