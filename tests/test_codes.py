"""Every diagnostic has a code, and every code is explained."""

from __future__ import annotations

import re

from tests.reference.pages import ROOT, codes

SOURCES = [*(ROOT / "core").rglob("*.py"), *(ROOT / "catalogs").rglob("*.py"), *ROOT.glob("plugins/*/src/**/*.py")]


def test_the_table_has_exactly_the_codes_in_the_source() -> None:
    """A code that nothing uses, or that isn't explained, is a mistake."""
    used = {code for path in SOURCES for code in re.findall(r'"(FS\d{3})"', path.read_text("utf-8"))}
    assert used == set(codes()) - {"area"}
