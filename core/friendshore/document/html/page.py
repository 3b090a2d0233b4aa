"""A document as a page in one file: style, script and pictures stand in it, and its own policy lets a browser load nothing else."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

from .. import elements as doc
from .markup import Markup, joined, own, tag, text
from .outline import Outline
from .parts import parts
from .svg import fills
from .world import outlines

_LANGUAGE = "en"


def html(document: doc.Document) -> str:
    """The document as a page. Equal documents give equal bytes."""
    outline = Outline({"main"})
    body = joined(parts(document.parts, 2, document.title, outline), "\n")
    shown = tag(
        "body",
        tag("a", text("Skip to the content"), href="#main", class_="skip"),
        tag("header", tag("h1", text(document.title))),
        outline.contents(),
        tag("main", own("\n"), body, own("\n"), id="main", tabindex="-1"),
        _shared(outline),
        tag("script", own(_script())),
    )
    page = tag("html", _head(document.title), own("\n"), shown, lang=_LANGUAGE)
    return f"<!doctype html>\n{page}\n"


def _shared(outline: Outline) -> Markup:
    """What pictures refer to."""
    if not outline.drawn:
        return joined(())
    land = outlines() if outline.mapped else joined(())
    return tag("svg", tag("defs", fills(), land), width=0, height=0, class_="shared", aria_hidden="true")


def _head(title: str) -> Markup:
    policy = (
        f"default-src 'none'; style-src {_hash(_style())}; script-src {_hash(_script())}; "
        "base-uri 'none'; form-action 'none'"
    )
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", text(title)),
        tag("style", own(_style())),
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
