"""Which plugin's code runs in a process, as a worker reports it to the process that waits for it."""

from __future__ import annotations

import pytest

from friendshore.plugins import running


def test_the_outermost_code_is_reported_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook that makes a rule is what is waited for; once it has ended, no code is."""
    reported: list[tuple[str, str]] = []
    monkeypatch.setattr(running._PROCESS, "report", lambda *call: reported.append(call))
    with running.running("acme", "its hook"), running.running("acme", "its rule"):
        assert reported[-1] == ("acme", "its hook")
    assert reported[-1] == ("", "")
