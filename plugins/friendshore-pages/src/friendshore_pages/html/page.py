"""A document as a page in one file: style, script and pictures stand in it, and its own policy lets a browser load nothing else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from friendshore.document import elements as doc

from .markup import Markup, framed, joined, own, tag, text
from .outline import Outline
from .parts import parts
from .world import outlines

_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Working:
    """A part of a page that does something: it stands above the document, and its script fills it."""

    title: str
    id: str
    """Of the part, for its script."""
    told: str
    """What it says until its script has run, or where scripts are off."""
    style: str
    script: str
    data: Mapping[str, str]
    """Texts that the script reads, by the id of the element that holds each."""
    solves: bool = False
    """Whether the script needs workers and WebAssembly, both out of the page itself."""


def html(document: doc.Document, working: Working | None = None) -> str:
    """The document as a page. Equal documents give equal bytes.

    Raises:
        ValueError: if a text of `working` could end its element.
    """
    outline = Outline({"main", *(() if working is None else (working.id, *working.data))})
    works = own("") if working is None else _working(working)
    body = joined(parts(document.parts, 2, document.title, outline), "\n")
    shown = tag(
        "body",
        tag("a", text("Skip to the content"), href="#main", class_="skip"),
        tag("header", tag("h1", text(document.title))),
        outline.contents(),
        tag("main", works, own("\n"), body, own("\n"), id="main", tabindex="-1"),
        _shared(outline),
        tag("script", own(_script())),
        own("") if working is None else tag("script", own(working.script)),
    )
    styles, scripts = [_style()], [_script()]
    also = ""
    if working is not None:
        styles, scripts = [*styles, working.style], [*scripts, working.script]
        also = " 'wasm-unsafe-eval'; worker-src blob:" if working.solves else ""
    page = tag("html", _head(document.title, styles, scripts, also), own("\n"), shown, lang=_LANGUAGE)
    return f"<!doctype html>\n{page}\n"


_LINE, _HEAD, _MOST = 25, 90, 1_200
"""Pixels that a line takes, and what stands around all of them; and pixels from which on a frame is scrolled."""


def frame(document: doc.Document, lines: int) -> str:
    """The document as a frame for the page of somebody else, such as a notebook: styles, identifiers and names stay within it, it loads nothing, and no
    script runs in it. `lines`: about how many it takes, since a page cannot ask its frame for room.
    """
    outline = Outline({"main"})
    body = joined(parts(document.parts, 2, document.title, outline), "\n")
    shown = tag("body", tag("header", tag("h1", text(document.title))), tag("main", body, id="main"), _shared(outline))
    page = tag("html", _head(document.title, [_style(), _IN_A_FRAME]), own("\n"), shown, lang=_LANGUAGE)
    return framed(f"<!doctype html>\n{page}\n", document.title, min(_HEAD + _LINE * lines, _MOST))


_IN_A_FRAME = "body{display:block}header{padding-top:.5rem}main{padding-bottom:1rem}h1{font-size:1.2rem}h2{font-size:1rem;margin-top:1rem}"


def _shared(outline: Outline) -> Markup:
    """What pictures refer to."""
    if not outline.mapped:
        return joined(())
    return tag("svg", tag("defs", outlines()), width=0, height=0, class_="shared", aria_hidden="true")


def _working(working: Working) -> Markup:
    held = [tag("script", own(value), id=name, type="text/plain") for name, value in working.data.items()]
    if any(end in value for value in (*working.data.values(), working.script, working.style) for end in ("</", "<!")):
        raise ValueError(f"a text of the part `{working.id}` could end its element")
    return tag(
        "section", tag("h2", text(working.title)), tag("div", tag("p", text(working.told)), id=working.id), *held
    )


def _head(title: str, styles: Sequence[str], scripts: Sequence[str] = (), also: str = "") -> Markup:
    allowed = f"script-src {' '.join(map(_hash, scripts))}{also}; " if scripts else ""
    policy = (
        f"default-src 'none'; style-src {' '.join(map(_hash, styles))}; {allowed}base-uri 'none'; form-action 'none'"
    )
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", text(title)),
        *(tag("style", own(style)) for style in styles),
    )


@cache
def _style() -> str:
    return _file("page.css")


@cache
def _script() -> str:
    return _file("page.js")


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(held: str) -> str:
    """How a policy allows a style sheet or a script: by what it holds, and nothing else."""
    return f"'sha256-{b64encode(sha256(held.encode()).digest()).decode()}'"
