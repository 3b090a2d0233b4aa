"""Links of the documentation that stay in the repository, and commands of README.md, lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

from .program import here

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CODE = re.compile(r"```.*?```|^    .*?$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s#]+)(#[\w-]+)?\)")


def test_links_lead_somewhere() -> None:
    """Linked files exist, and have the heading that is named."""
    links = [(page, *link) for page in PAGES for link in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8")))]
    for page, target, heading in links:
        if "://" in target or target.startswith("mailto:"):
            continue
        there = (page.parent / target).resolve()
        assert there.exists(), (page, target)
        if heading:
            titles = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            names = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            assert heading[1:] in names, (page, target, heading)


def test_commands_of_the_readme_exist() -> None:
    """Every friendshore command that it names answers to `--help`."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"(?:`|run )friendshore ([a-z-]+)", text, re.MULTILINE))
    assert len(commands) >= 5
    for command in commands:
        assert here(command, "--help").returncode == 0, command
