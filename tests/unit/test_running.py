"""Who watches code of plugins is told whose turn it is."""

from __future__ import annotations

import pytest

from friendshore.plugins import running


class Told:
    """Hears what it is told."""

    pressed = False

    def __init__(self) -> None:
        self.packages: list[str] = []

    def begin(self) -> None:
        """Nothing is ended."""

    def tell(self, package: str, doing: str) -> None:
        """Keeps whose turn it is."""
        self.packages.append(package)


def test_a_rest_within_a_rest_ends_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that waits for several things, each of which waits for a solver, is not blamed for the time between two of these."""
    told = Told()
    monkeypatch.setattr(running._RUNNING, "watcher", told)
    with running.running("acme", "its question"), running.resting():
        with running.resting():
            pass
        assert told.packages == ["acme", ""]
        with running.awake():
            assert told.packages == ["acme", "", "acme"]
    assert told.packages == ["acme", "", "acme", "", "acme", ""]
