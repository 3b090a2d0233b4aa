"""The format of commit messages: `area: imperative summary` in at most 72 characters, a blank line, and a body with the reason.

`python -m tests.commit_messages FILE` checks a message in a file, as the hook `commit-msg` does. `tests/test_style.py` checks the commits since the rule.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LONGEST_SUBJECT = 72
LAST_BEFORE = "9a612667a8349cd715938eea04c22c3d12773c0d"
"""Last commit that isn't checked."""
ROOT = Path(__file__).parents[1]


def problems_of(message: str) -> Iterator[str]:
    """Yield what is wrong with a commit message. Lines that start with `#` don't count."""
    lines = [line for line in message.splitlines() if not line.startswith("#")]
    subject, *rest = lines or [""]
    if not re.match(r"[a-z][a-z0-9, /_-]*: \S", subject):
        yield f"the subject isn't `area: imperative summary`: {subject!r}"
    if len(subject) > LONGEST_SUBJECT:
        yield f"the subject has {len(subject)} characters, more than {LONGEST_SUBJECT}: {subject!r}"
    if rest and rest[0].strip():
        yield f"the second line isn't blank: {rest[0]!r}"
    if not any(line.strip() for line in rest):
        yield f"there is no body with the reason: {subject!r}"


def new_messages() -> list[str]:
    """Return the messages of commits since the rule, without merges. Empty if the history isn't there."""
    command = ["git", "log", "--no-merges", "--format=%B%x00", f"{LAST_BEFORE}.."]
    log = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return [] if log.returncode else [text.strip() for text in log.stdout.split("\0") if text.strip()]


if __name__ == "__main__":
    found = list(problems_of(Path(sys.argv[1]).read_text("utf-8")))
    sys.stderr.write("".join(f"{text}\n" for text in found))
    sys.exit(bool(found))
