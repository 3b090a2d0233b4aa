"""Names made harmless: on a terminal, in JSON, in Markdown and in the cells of a table; and what was typed comes back."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

import friendshore
from friendshore.cli.output import show
from friendshore.document.elements import Verbatim, document, figures, notes, sentence, table
from friendshore.document.terminal import renderables
from friendshore.inert import INVISIBLE, cell_inert, json_inert, markdown_inert, original_cell, visible

from ..property.settings import examples

NASTY = [
    "\x1b[31m", "\x1b]0;t\x07", "\x9b2J", "\x7f", "\x00", "\r", "\n", "\t", "\x85", "\u2028", "\u202e", "\u200b", "\ufeff", "\ud800",
    "=1+1", "+1", "-1", "@SUM(1)", ";", "; =1", "＝1", '"', "'", "''=", "\\", "\\u001b", "[red]", "[/]", "[x](http://e.example)",
    "![x](y)", "<b>", "<!--", "http://e.example/x", "//e.example", "www.e.example", "a@b.example", "@@", "`", "``", "**a**", "_a_", "~~a~~",
    "# ", "- ", "1. ", "10) ", "> ", "|", "&lt;", "$x$", "{{", "---", "===", "[a]: http://x", " ", "\u00a0", "é", "🚢", "1", "a", ".", ",",
]  # fmt: skip
NAMES = st.lists(st.one_of(st.sampled_from(NASTY), st.characters()), max_size=6).map("".join)


def test_what_cannot_be_seen_is_known() -> None:
    """Every control, half sign and end of a line, and every mark of direction; no letter, figure, space or joiner."""
    for number in range(0x30000):
        sign = chr(number)
        if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(sign) in _DIRECTIONS:
            assert INVISIBLE.match(sign), hex(number)
        if sign in "\u200c\u200d" or unicodedata.category(sign) in ("Zs", "Lu", "Ll", "Nd", "Sm", "Sc", "Pd", "Mn"):
            assert not INVISIBLE.match(sign) or unicodedata.category(sign) == "Mn", hex(number)


_DIRECTIONS = ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI")


@given(NAMES)
@examples(2000)
def test_a_terminal_obeys_no_name(name: str) -> None:
    """In every part of a report, and on every kind of stdout, a name is one line of signs that can be seen."""
    assert not INVISIBLE.search(visible(name))
    cells = [[f"a{name}", f"b{name}"]]
    made = table([figures("one"), figures("two")], cells)
    screen = Console(file=io.StringIO(), width=400, color_system=None)
    for part in renderables(document("", sentence(f"x{name}"), notes([f"x{name}"]), made), 400):
        screen.print(part)
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert not INVISIBLE.search(shown.replace("\n", ""))
    assert len(shown.splitlines()) == 4
    if name == visible(name) and name == " ".join(name.split(" ")):
        assert name in shown


class _Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_colours_of_a_terminal_are_ours_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the codes of our own styles are written, and those of a name are shown."""
    screen = _Terminal()
    for name, value in (("TERM", "xterm-256color"), ("COLUMNS", "100")):
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.stdout", screen)
    show(document("", sentence("ours \x1b[2J \x9b2J \u202e [red]", strong=True), Verbatim(("\x1b[31mbare", "[red]"))))
    codes = re.findall(r"\x1b\[[0-9;]*m", screen.getvalue())
    assert codes == ["\x1b[1m", "\x1b[0m"]
    rest = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())
    assert rest == "ours \\x1b[2J \\x9b2J \\u202e [red]\n\\x1b[31mbare\n[red]\n"


@given(st.recursive(NAMES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)))
@examples(2000)
def test_json_holds_what_was_typed(data: object) -> None:
    """JSON is the same data, and a terminal obeys nothing in it."""
    written = json_inert(json.dumps(data, indent=2, ensure_ascii=False))
    assert json.loads(written) == data
    assert not INVISIBLE.search(written.replace("\n", ""))
    written.encode()


@given(NAMES)
@example("=HYPERLINK(1)")
@example("x;=1+1")
@example('"=1"')
@examples(4000)
def test_a_cell_holds_what_was_typed_and_computes_nothing(name: str) -> None:
    """No spreadsheet computes a cell, whether it sets cells apart by commas or semicolons, and reading gives the text back."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(["first", cell_inert(name)])
    assert not INVISIBLE.search(written.getvalue()[:-1])
    written.getvalue().encode()
    (row,) = csv.reader(io.StringIO(written.getvalue(), newline=""), strict=True)
    assert original_cell(row[1].strip()) == name
    for cell in row[1].split(";"):
        assert cell.lstrip()[:1] not in tuple("=+-@＝＋－＠") or re.fullmatch(r"-\d+(\.\d+)?", row[1])


@pytest.mark.parametrize("number", ["-5", "-0.25", "12", "0"])
def test_numbers_stay_numbers(number: str) -> None:
    """A spreadsheet adds up the numbers of a run."""
    assert cell_inert(number) == number


@given(NAMES)
@example("[x](http://e.example) ![x](y) <b>")
@example("1. @ 10) | `@`")
@examples(2000)
def test_markdown_shows_a_name_and_does_nothing(name: str) -> None:
    """In a heading, a list and a table a name makes no link, image, HTML, list or cell, and is read as it was typed."""
    shown = markdown_inert(name)
    assert not re.search(
        r"://|www\.e|(?<!\\)\.example|a@b", shown
    )  # what many a reader makes a link of, by whatever rule
    for page in (f"# x {shown}", f"- {shown}", f"| h | i |\n| --- | --- |\n| {shown} | z |"):
        tokens = MarkdownIt("commonmark").enable("table").parse(page)
        inline = [child for token in tokens for child in token.children or ()]
        assert {child.type for child in inline} <= {"text", "text_special", "code_inline"}
        assert {sign for child in inline if child.type == "code_inline" for sign in child.content} <= {"@"}
        assert {token.type for token in tokens} <= _SHAPES
        assert sum(token.type == "list_item_open" for token in tokens) <= 1
        assert sum(token.type == "td_open" for token in tokens) in (0, 2)
        plain = " ".join(visible(name.translate(str.maketrans("\t\n\v\f\r", " " * 5))).split())
        assert plain in " ".join("".join(child.content for child in inline).split())


_SHAPES = {
    f"{part}_{end}"
    for part in ("heading", "bullet_list", "list_item", "paragraph", "table", "thead", "tbody", "tr", "th", "td")
    for end in ("open", "close")
} | {"inline"}


def test_text_is_printed_at_one_door() -> None:
    """No part of a report takes text that is not made harmless, and no command prints past the place where that is done."""
    house = Path(friendshore.__file__).parent
    doors = {"rich.text": "document/terminal.py", "Console(": "cli/output.py", "typer.echo": "", "sys.stdout.write": ""}
    for words, door in doors.items():
        users = {str(path.relative_to(house)) for path in house.rglob("*.py") if words in path.read_text("utf-8")}
        assert users == set(door.split()), words
