"""The rules of `docs/reference/style.md` that a program can check: first words of docstrings, spelling, and length of sentences."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.commit_messages import new_messages, problems_of
from tests.test_vocabulary import PAGES, SOURCES, TESTS, prose_tokens

ROOT = Path(__file__).parents[1]
STYLE = ROOT / "docs/reference/style.md"
GENERATED = {
    ROOT / "docs/reference" / name
    for name in ("cli.md", "codes.md", "files.md", "packs.md", "rules.md", "run-folder.md")
}
LONGEST_SENTENCE = 35
INSIDE = "colour|favour|behaviour|honour|labour|neighbour"
WHOLE = (
    r"centre[ds]?|metres?|litres?|defence|offence|licen[c]e[ds]?|"
    r"programmes?|catalogues?|grey|cheques?|analys(?:e|es|ed|ing)|cancell(?:ed|ing)|labell(?:ed|ing)|modell(?:ed|ing)|travell(?:ed|ing)|"
    r"(?:minim|maxim|optim|recogn|organ|summar|normal|emphas|standard|author|central|final|general|penal|util|visual|real|serial)is(?:e|es|ed|ing|ation)"
)
BRITISH = re.compile(rf"(?<![\w/.`-])(?:\w*(?:{INSIDE})\w*|{WHOLE})(?![\w:-])(?!\.\w)", re.IGNORECASE)
"""British spellings. Names between backticks aren't checked here: `OURS` has those that are ours."""
OURS = re.compile(
    r"licence|programme(?![dr])|minimis[ei]|optimis|organis[ei]|recognis|catalogue|labour|favour|(?<=[\d}]) %(?! ?[\d(%])",
    re.IGNORECASE,
)
"""What no file of ours has, in names, ids, and texts alike: British spellings, and a space before a percent sign."""
THEIRS = (
    "uv.lock",
    "LICENSE",
    "sources.csv",
    "test_style.py",
    "tests/bench/peers/",
    "tests/data/published/",
    "/highs/",
    "friendshore_screening/words.toml",
    "friendshore_screening/lists.py",
    "friendshore-screening/tests/",
    "friendshore_testing/scaffold.py",
    "tests/unit/test_catalog_reading.py",
)
"""Texts of others, readers of their formats, and what corrects a user's spelling."""
OUR_FILES = {".css", ".csv", ".js", ".json", ".md", ".py", ".pyi", ".svg", ".tmpl", ".toml", ".txt", ".yaml", ".yml"}
SUSPECT = re.compile(f"{INSIDE}|{WHOLE}")
"""Any of them within any word, in small letters: far quicker, and most texts have none."""


def docstrings(path: Path) -> Iterator[str]:
    """Yield all docstrings of a module, including those of fields."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        for child in getattr(node, "body", ()) if not isinstance(node, ast.Lambda | ast.IfExp) else ():
            if (
                isinstance(child, ast.Expr)
                and isinstance(child.value, ast.Constant)
                and isinstance(child.value.value, str)
            ):
                yield child.value.value.strip()


def prose(path: Path) -> str:
    """Return the text of a page without code, tables, and headings."""
    text = re.sub(r"^ *```.*?^ *```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^(?: {4,}\S.*|#+ .*|\s*\|.*|:::.*| {4}.*|<.*)$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^\s*(?:[-*]|\d+\.) ", "\n\n", text, flags=re.MULTILINE)
    text = re.sub(r"\$`[^`]*`\$|`[^`\n]*`", "X", text)
    return re.sub(r"\]\([^)]*\)", "]", text)


def sentences(path: Path) -> Iterator[str]:
    """Yield the sentences of a page."""
    for paragraph in re.split(r"\n\s*\n", prose(path)):
        yield from re.split(r"(?<=[.!?:;])[)\"*]*\s+(?=[A-Z\[*(\"X])", " ".join(paragraph.split()))


def test_docstrings_start_with_a_verb_or_a_noun() -> None:
    """Not with a question: "What a rule says" is "Verdict of a rule"."""
    question = r"(?:What|Whether)\b"
    suspects = [path for path in SOURCES if re.search(rf"[\"']\s*{question}", path.read_text("utf-8"))]
    wrong = [(str(path), text) for path in suspects for text in docstrings(path) if re.match(question, text)]
    assert wrong == []


def test_pages_have_short_sentences() -> None:
    """At most 35 words."""
    pages = [page for page in PAGES if page not in GENERATED and "decisions" not in page.parts]
    long = [(str(page), text) for page in pages for text in sentences(page) if len(text.split()) > LONGEST_SENTENCE]
    assert long == []


def test_spelling_is_american() -> None:
    """In pages, docstrings, comments, and messages. Strings of tests are data."""
    hits = {str(page): BRITISH.findall(prose(page)) for page in PAGES if page != STYLE}
    for path in [*SOURCES, *TESTS]:
        if not SUSPECT.search(path.read_text("utf-8").lower()):
            continue
        texts = [
            text
            for text in prose_tokens(path)
            if SUSPECT.search(text.lower())
            and (path in SOURCES or text.startswith(("#", '"""')) and "schema = 1" not in text)
        ]
        words = [BRITISH.findall(re.sub(r"`[^`\n]*`|\{[^{}]*\}|\[\[\w+\]\]", "", text)) for text in texts]
        hits[str(path)] = (
            [] if path == Path(__file__) else [word for matches_of_text in words for word in matches_of_text]
        )
    assert {path: sorted(set(matches)) for path, matches in hits.items() if matches} == {}


def test_names_and_percentages_are_american_in_every_file() -> None:
    """Also ids, keys, file names, and data, where `71%` has no space."""
    listed = (
        subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    )
    hits = {}
    for name in filter(None, listed):
        path = ROOT / name
        if any(text in name for text in THEIRS) or path.suffix not in OUR_FILES or not path.exists():
            continue
        if matches := OURS.findall(name + "\n" + path.read_text("utf-8")):
            hits[name] = sorted(set(matches))
    assert hits == {}


def test_new_commits_keep_the_format() -> None:
    """`area: imperative summary` in at most 72 characters, then a body."""
    assert [problem for message in new_messages() for problem in problems_of(message)] == []


@pytest.mark.parametrize(
    "message",
    [
        "Fix the build\n\nReason.",
        "solve: " + "x" * 66 + "\n\nReason.",
        "solve: cut the gap",
        "solve: cut the gap\nReason.",
    ],
)
def test_a_commit_message_of_another_format_is_refused(message: str) -> None:
    """Without an area, too long, without a body, or without the blank line."""
    assert list(problems_of(message))
    assert not list(problems_of("solve: cut the gap\n\nReason.\n# a comment"))
