"""One word for one thing: retired words don't come back, and every term of the glossary leads somewhere.

The words and their replacements are in `RETIRED`. They are looked for in names, messages, docstrings, comments, and pages.
"""

from __future__ import annotations

import importlib
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
GLOSSARY = ROOT / "docs" / "reference" / "glossary.md"
FOLDERS = [ROOT / "core" / "friendshore", ROOT / "catalogs", *sorted((ROOT / "plugins").glob("*/src"))]
SOURCES = sorted(path for folder in FOLDERS for path in folder.rglob("*.py"))
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__))
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "plugins").glob("*/README.md")]
    if path.name != "CHANGELOG.md" and path != GLOSSARY
)

RETIRED = {
    r"not so\b(?! (?:much|many|called))": "failed verification",
    r"bit(?:es?|ing)": "applies, in force; rules of unknown status are enforced",
    r"g(?:ives?|ave|iving) way": "is relaxed",
    r"(?:is|are|be|each|once|all) lifted|lifted alone": "is relaxed",
    r"(?:can|cannot|could|not to|never to) be had": "is available, is unavailable",
    r"(?<!license )requirements?": "compliance class",
    r"least and most share": "usage range",
    r"price to win|price at which (?:it|an offer|the offer) enters|surely enters?": "break-even price",
    r"whole columns?(?! leave room)|column that is not whole": "integer variable, continuous variable",
    r"on/off|0/1 columns?": "binary variable",
    r"rows? that joins?": "linking constraint",
    r"(?:nothing|zero) or at least": "semi-continuous",
    r"objectives in order of rank": "lexicographic objectives",
}
"""Retired word -> its replacement."""

PHRASES = {
    r"nobody": "no source, no one",
    r"whoever": "the person who, anyone who",
    r"anew": "again",
    r"mend(?:s|ed|ing)?": "correct, fix",
    r"dear(?:er|est)": "more expensive, most expensive",
    r"for want of": "without",
    r"so many": "a number",
    r"likewise": "also",
    r"bear(?:s|ing)? (?:up)?on": "applies to",
    r"(?:is|are) (?:told|said|heard|looked at)": "is reported, is listed, is checked",
    r"let pass": "accepted",
    r"comes? to (?=\d)": "equals, sums to",
    r"kept out": "excluded",
    r"barred": "prohibited",
    r"as it stands": "unchanged, in its present form",
    r"stands? in": "is in",
}
"""Phrases of an older style, which messages, docstrings, comments, and pages don't use -> what to write. Tests may still have them."""

NAMES = {
    r"^troubles?$|^Trouble$|^Finding$|^Suggestion$": "diagnostic",
    r"(?:^|_)(?:bites?|biting)(?:_|$)": "applies",
    r"[Rr]equirements?": "compliance_class",
}
"""Names of modules, classes and functions that are no longer given -> what stands in their place."""

TEXTS = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
"""Tokens of text. From Python 3.12 on, f-strings have their own."""


BEFORE, AFTER = r"(?<![\w/.{-])", r"(?![\w-])"


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern of any of these words: far quicker than looking for each."""
    return re.compile(f"{BEFORE}(?:{'|'.join(words)}){AFTER}", re.IGNORECASE)


ANY = {id(words): any_of(words) for words in (RETIRED, PHRASES)}


def retired_words(text: str, words: dict[str, str] = RETIRED) -> list[tuple[str, str]]:
    """Return the retired words in a text, each with its replacement. Names between backticks aren't checked."""
    prose = re.sub(r"`[^`\n]*`", "``", text)
    return [
        (match.group(), replacement)
        for word, replacement in (words.items() if ANY[id(words)].search(prose) else ())
        for match in any_of([word]).finditer(prose)
    ]


def prose_of(path: Path, words: dict[str, str] = RETIRED) -> Iterator[str]:
    """Yield comments, docstrings, and messages of a source file, if there is any retired word in it."""
    if ANY[id(words)].search(path.read_text(encoding="utf-8")):
        yield from prose_tokens(path)


def prose_tokens(path: Path) -> Iterator[str]:
    """Yield comments, docstrings, and messages of a source file."""
    with io.StringIO(path.read_text(encoding="utf-8")) as stream:
        for token in tokenize.generate_tokens(stream.readline):
            if token.type in TEXTS and " " in token.string.strip("\"' "):
                yield token.string


def test_messages_and_docstrings_keep_to_the_vocabulary() -> None:
    """No retired word in what a user or a reader of the code is told."""
    hits = {str(path): retired_words("\n".join(prose_of(path))) for path in [*SOURCES, *TESTS]}
    assert {path: matches for path, matches in hits.items() if matches} == {}


def test_pages_keep_to_the_vocabulary() -> None:
    """No retired word on a page; what stands in code is held to it where it comes from."""
    hits = {}
    for path in PAGES:
        text = re.sub(r"^```(?!text).*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        hits[str(path)] = retired_words(text)
    assert {path: matches for path, matches in hits.items() if matches} == {}


def test_texts_have_no_phrases_of_an_older_style() -> None:
    """In sources and pages."""
    hits = {str(path): retired_words("\n".join(prose_of(path, PHRASES)), PHRASES) for path in SOURCES}
    for path in PAGES:
        if path.name != "style.md":
            text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
            hits[str(path)] = retired_words(text, PHRASES)
    assert {path: matches for path, matches in hits.items() if matches} == {}


def test_names_keep_to_the_vocabulary() -> None:
    """No module, class or function is called what is no longer said."""
    wrong = []
    for path in SOURCES:
        names = re.findall(r"^\s*(?:async )?(?:class|def) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        for name in {path.stem, *(name for name in names if not name.startswith("_"))}:
            wrong += [(str(path), name, replacement) for old, replacement in NAMES.items() if re.search(old, name)]
    assert wrong == []


def test_a_class_name_is_public_once() -> None:
    """Who reads `Answer` or `Ledger` knows which: no two modules have a public class of one name."""
    where = defaultdict(list)
    for path in SOURCES:
        for name in re.findall(r"^class ([^\W_]\w*)", path.read_text(encoding="utf-8"), re.MULTILINE):
            where[name].append(str(path))
    assert {name: paths for name, paths in where.items() if len(paths) > 1} == {}


def rows_of(page: str) -> Iterator[list[str]]:
    """The cells of every row of every table, heads and rules left out."""
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and not line.startswith("|---") and cells[0] not in {"term", "who looks for"}:
            yield cells


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as repositories and the site make them."""
    heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def exists(name: str) -> bool:
    """Return True if a dotted name is a module or something within one."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            target: Any = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            target = getattr(target, part, None)
        return target is not None
    return False


def test_the_glossary_has_a_term_once_with_its_meaning_and_its_home() -> None:
    """No term is listed twice."""
    terms = [cells for cells in rows_of(GLOSSARY.read_text(encoding="utf-8")) if cells[0].startswith("**")]
    assert len(terms) > 90
    assert [cells for cells in terms if len(cells) != 3 or not all(cells)] == []
    named = [name for cells in terms for name in re.findall(r"\*\*(.+?)\*\*(?! \()", cells[0])]
    assert sorted({name for name in named if named.count(name) > 1}) == []


def test_every_entry_of_the_glossary_leads_somewhere() -> None:
    """Modules and classes exist, pages and their headings too."""
    page = GLOSSARY.read_text(encoding="utf-8")
    assert [name for name in re.findall(r"`(friendshore(?:\.\w+)+)`", page) if not exists(name)] == []
    broken = []
    for link in re.findall(r"\]\(([^)]+)\)", page):
        file, _, anchor = link.partition("#")
        target = (GLOSSARY.parent / file).resolve() if file else GLOSSARY
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_modules_that_pages_name_exist() -> None:
    """In explanations, decisions, and CONTRIBUTING.md."""
    pages = [*ROOT.glob("docs/explanation/*.md"), *ROOT.glob("docs/decisions/*.md"), ROOT / "CONTRIBUTING.md"]
    named = {name for page in pages for name in re.findall(r"`((?:\w+/)+\w+\.py)`", page.read_text("utf-8"))}
    assert len(named) > 10
    folders = (ROOT, ROOT / "core/friendshore", *ROOT.glob("plugins/*/src"))
    assert sorted(name for name in named if not any((folder / name).exists() for folder in folders)) == []
