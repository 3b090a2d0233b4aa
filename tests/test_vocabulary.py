"""One word for one thing: retired words do not come back, and every term of the glossary leads somewhere.

The words and what took their place are in `RETIRED`. They are looked for in the names of modules, classes and functions, in messages, docstrings
and comments, and on the pages.
"""

from __future__ import annotations

import importlib
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

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
    r"(?<!licence )requirements?": "compliance class",
    r"least and most share": "usage range",
    r"price to win|price at which (?:it|an offer|the offer) enters|surely enters?": "break-even price",
    r"whole columns?(?! leave room)|column that is not whole": "integer variable, continuous variable",
    r"on/off|0/1 columns?": "binary variable",
    r"rows? that joins?": "linking constraint",
    r"(?:nothing|zero) or at least": "semi-continuous",
    r"objectives in order of rank": "lexicographic objectives",
}
"""What is no longer said -> what is said in its place."""

NAMES = {
    r"^troubles?$|^Trouble$|^Finding$|^Suggestion$": "diagnostic",
    r"(?:^|_)(?:bites?|biting)(?:_|$)": "applies",
    r"[Rr]equirements?": "compliance_class",
}
"""Names of modules, classes and functions that are no longer given -> what stands in their place."""

MODULES = {
    "problem/touched": "problem/impact",
    "problem/shelves": "problem/stock_cover_cuts",
    "problem/wholes": "problem/fixed_point",
    "problem/doubles": "problem/float_tables",
    "problem/requirements": "problem/compliance_classes",
    "problem/lifting": "problem/change_kinds",
    "explain/standing": "explain/eligibility",
    "explain/entering": "explain/break_even",
    "explain/using": "questions/alternatives/usage_range",
    "program/closing": "program/balance_repair",
    "program/goals": "program/objectives",
    "solve/joined": "solve/linking",
    "solve/mixed": "solve/mip",
    "solve/priced": "solve/lagrangian",
    "solve/prices": "solve/lagrangian",
    "solve/parted": "solve/lagrangian",
    "solve/ranked": "solve/lexicographic",
    "solve/answers": "solve/answer_cache",
    "solve/neighbours": "solve/shared",
    "verify/spared": "verify/__init__",
    "verify/judged": "verify/compliance",
    "homes": "lazy_exports",
}
"""Modules that were called otherwise -> what they are called."""


TEXTS = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
"""What is read of a source file; texts with figures in them are tokens of their own from Python 3.12 on."""


BEFORE, AFTER = r"(?<![\w/.{-])", r"(?![\w-])"
ANY = re.compile(f"{BEFORE}(?:{'|'.join(RETIRED)}){AFTER}", re.IGNORECASE)
"""Whether there is any at all: far quicker than to look for each."""


def found(text: str) -> list[tuple[str, str]]:
    """Retired words in a text, each with what to say in its place. What stands between backticks is a name, and not looked at."""
    prose = re.sub(r"`[^`\n]*`", "``", text)
    return [
        (hit.group(), instead)
        for word, instead in (RETIRED.items() if ANY.search(prose) else ())
        for hit in re.finditer(f"{BEFORE}(?:{word}){AFTER}", prose, re.IGNORECASE)
    ]


def prose_of(path: Path) -> Iterator[str]:
    """Comments, docstrings and messages of a source file, every text of more than one word; none, without reading closely, where no
    retired word stands in the file at all.
    """
    source = path.read_text(encoding="utf-8")
    if not ANY.search(source):
        return
    with io.StringIO(source) as stream:
        for token in tokenize.generate_tokens(stream.readline):
            if token.type in TEXTS and " " in token.string.strip("\"' "):
                yield token.string


def test_messages_and_docstrings_keep_to_the_vocabulary() -> None:
    """No retired word in what a user or a reader of the code is told."""
    hits = {str(path): found("\n".join(prose_of(path))) for path in [*SOURCES, *TESTS]}
    assert {path: here for path, here in hits.items() if here} == {}


def test_pages_keep_to_the_vocabulary() -> None:
    """No retired word on a page; what stands in code is held to it where it comes from."""
    hits = {}
    for path in PAGES:
        text = re.sub(r"^```(?!text).*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        hits[str(path)] = found(text)
    assert {path: here for path, here in hits.items() if here} == {}


def test_names_keep_to_the_vocabulary() -> None:
    """No module, class or function is called what is no longer said."""
    wrong = []
    for path in SOURCES:
        defined = re.findall(r"^\s*(?:async )?(?:class|def) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        for name in {path.stem, *(name for name in defined if not name.startswith("_"))}:
            wrong += [(str(path), name, to) for old, to in NAMES.items() if re.search(old, name)]
    assert wrong == []


def test_modules_keep_their_new_names() -> None:
    """A module that was renamed is where the table says, and not back."""
    core = ROOT / "core" / "friendshore"
    assert [old for old in MODULES if (core / f"{old}.py").exists()] == []
    assert [new for new in MODULES.values() if not (core / f"{new}.py").exists()] == []


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
    """Whether a dotted name is a module, or something within one."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            thing = getattr(thing, part, None)
        return thing is not None
    return False


def test_the_glossary_has_a_term_once_with_its_meaning_and_its_home() -> None:
    """Every entry says what the term means and where it is found; none stands twice."""
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


@pytest.mark.parametrize(
    "term",
    [
        "safety stock", "sensitivity", "objective function", "decision variable", "MILP", "shadow price", "reduced cost",
        "break-even price", "relaxation", "linking constraint", "semi-continuous", "lexicographic objectives",
        "Lagrangian pricing", "big-M", "gap", "bound", "compliance class", "Shapley", "IIS", "column generation",
        "stochastic programming", "robust programming", "disruption", "resilience", "L-shaped method", "Monte Carlo",
        "sanctions screening", "denied or restricted party", "UFLPA", "50 % rule", "price staleness",
    ],
)  # fmt: skip
def test_a_term_of_the_field_is_in_the_glossary(term: str) -> None:
    """Who searches the site for it finds it there, with what it is called here."""
    assert term in " ".join(cell for cells in rows_of(GLOSSARY.read_text(encoding="utf-8")) for cell in cells)


def test_the_words_that_took_a_retired_one_s_place_are_in_the_glossary() -> None:
    """What `RETIRED` says to say is explained."""
    page = GLOSSARY.read_text(encoding="utf-8").lower()
    wanted = {"applies", "relaxed", "compliance class", "usage range", "break-even price", "binary", "linking constraint",
              "semi-continuous", "lexicographic objectives", "verification failed"}  # fmt: skip
    assert [word for word in sorted(wanted) if word not in page] == []


def test_modules_that_pages_name_exist() -> None:
    """What an explanation, a decision or CONTRIBUTING says of a module leads to one."""
    pages = [*ROOT.glob("docs/explanation/*.md"), *ROOT.glob("docs/decisions/*.md"), ROOT / "CONTRIBUTING.md"]
    named = {
        (page.name, name) for page in pages for name in re.findall(r"`((?:\w+/)+\w+\.py)`", page.read_text("utf-8"))
    }
    assert len(named) > 10
    assert (
        sorted(
            (page, name)
            for page, name in named
            if not any((at / name).exists() for at in (ROOT, ROOT / "core/friendshore", *ROOT.glob("plugins/*/src")))
        )
        == []
    )
