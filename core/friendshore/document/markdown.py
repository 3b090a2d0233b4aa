"""Documents as Markdown, in which names can't form a link, list, table, or HTML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from ..inert import markdown_inert, visible
from . import elements as doc
from .excerpts import fitted
from .figures import figure_text, written

_WIDTH = 10_000
_MAX_HEADING_LEVEL = 6


def markdown(document: doc.Document) -> str:
    return "\n\n".join((f"# {markdown_inert(document.title)}", *_parts(document.whole().parts, 2))) + "\n"


def _parts(parts: Iterable[doc.Element], level: int) -> Iterator[str]:
    for part in parts:
        if text := _element(part, level):
            yield text


def _element(element: doc.Element, level: int) -> str:
    match element:
        case doc.Sentence(phrases):
            return "".join(map(_phrase, phrases))
        case doc.Notes(texts):
            return _bullets(text.text if isinstance(text, doc.Quoted) else text for text in texts)
        case doc.Verbatim(lines):
            return "\n".join(f"    {visible(line)}" for line in lines)
        case doc.Pairs(rows):
            return _bullets(f"{name}: {text}" for name, text in rows)
        case doc.KeyFigures(figures):
            return _bullets(f"{figure.name}: {figure_text(figure)}" for figure in figures)
        case doc.DataTable(rest=rest):
            note_on_rest = f"\n\n{markdown_inert(written(rest))}" if isinstance(rest, doc.Several) else ""
            return _table(fitted(element, _WIDTH)) + note_on_rest
        case doc.Drawing():
            return _table(fitted(element.table, _WIDTH))
        case doc.Section(title, parts):
            body = "\n\n".join(_parts(parts, level + bool(title)))
            return (
                f"{'#' * min(level, _MAX_HEADING_LEVEL)} {markdown_inert(title)}\n\n{body}" if title and body else body
            )
        case _:
            assert_never(element)


def _phrase(phrase: str | doc.Phrase) -> str:
    styled = phrase if isinstance(phrase, doc.Phrase) else doc.Phrase(phrase)
    stripped = styled.text.strip(" ")
    if not stripped:
        return styled.text
    literal = f"`{visible(stripped).replace('`', chr(39))}`" if styled.code else markdown_inert(stripped)
    before, _, after = styled.text.partition(stripped)
    return f"{before}**{literal}**{after}" if styled.strong else f"{before}{literal}{after}"


def _bullets(texts: Iterable[str]) -> str:
    return "\n".join(f"- {markdown_inert(text)}" for text in texts)


def _table(table: doc.DataTable) -> str:
    rules = ["---:" if column.align == "right" else "---" for column in table.columns]
    heads = [markdown_inert(column.heading) for column in table.columns]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rules, *map(_cells, table.rows)))


def _cells(row: doc.DataRow) -> list[str]:
    texts = [markdown_inert(written(cell)) for cell in row.cells]
    return [f"**{text}**" if row.strong and text else text for text in texts]
