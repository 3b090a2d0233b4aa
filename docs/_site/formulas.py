"""Formulas of the documentation site, as MathML that browsers set and read aloud themselves.

A formula is written as repositories show it: a block ```` ```math ````, or ``$`…` `` in a line, in LaTeX.
"""

from __future__ import annotations

import re

from latex2mathml.converter import convert
from mkdocs.structure.pages import Page

FORMULA = re.compile(r"^```math\n(?P<block>.*?)\n```$|\$`(?P<inline>[^`\n]+)`\$", re.DOTALL | re.MULTILINE)
_PLACE = "formulahere{}place"
"""What stands for a formula while Markdown is read, which might take signs of a formula for its own."""
_made: dict[str, list[str]] = {}


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """The page with places for its formulas."""
    made = _made[page.file.src_uri] = []

    def placed(match: re.Match[str]) -> str:
        made.append(mathml(match["block"] or match["inline"], block=match["block"] is not None))
        return _PLACE.format(len(made) - 1)

    return FORMULA.sub(placed, markdown)


def on_page_content(html: str, *, page: Page, **_: object) -> str:
    """The page with its formulas in their places."""
    for number, formula in enumerate(_made.pop(page.file.src_uri, [])):
        html = html.replace(_PLACE.format(number), formula)
    return html


def mathml(latex: str, *, block: bool) -> str:
    """A formula, in a box that scrolls where the window is narrower; what it is written as stands with it for whoever copies it."""
    found = convert(latex, display="block" if block else "inline")
    written = " ".join(latex.split()).replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    told = found.replace("<math ", f'<math alttext="{written}" ', 1)
    return f'<span class="formula" tabindex="0" role="group" aria-label="Formula">{told}</span>' if block else told
