"""Commands that are killed while they write: no finished run is lost, no file of the user's touched, and the next call puts all right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that can be forked")
KILLING = Path(__file__).with_name("killing.py")


def killed(place: Path, *how: str, timeout: float = 280) -> dict[str, Any]:
    """Return what killing finds."""
    words = [sys.executable, str(KILLING), str(place), *how]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=timeout)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.deep
def test_commands_killed_at_random_steps_and_moments_lose_nothing(tmp_path: Path) -> None:
    """All commands that write: what is replaced is there still, or the new one is."""
    found = killed(tmp_path, "24", "7")
    assert found["wrong"] == []
    assert sum(found["kills"].values()) == 24


@pytest.mark.deep
@pytest.mark.parametrize("operation", ["run", "init"])
def test_killed_at_any_step_nothing_is_lost(operation: str, tmp_path: Path) -> None:
    """Killed before each of its steps, a run that is replaced is there still, or the new one is; a new folder is there whole after the next call."""
    found = killed(tmp_path, "every", operation)
    assert found["wrong"] == []
    assert found["kills"][operation] > 15


@pytest.mark.deep
def test_two_who_write_one_run_and_one_who_reads_it_meet_whole_runs(tmp_path: Path) -> None:
    """Writers wait for each other, and a reader finds the run of the one or the other; nothing is left beside it."""
    assert killed(tmp_path, "together", "20")["wrong"] == []
