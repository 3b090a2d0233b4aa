"""Friendshore and every peer find the same optimum of miniatures of L, D, J, and X, from independent programs of one model."""

from __future__ import annotations

import pytest

from .answer import Stop
from .job import OURS, PEERS, Job, perform
from .table import agree

EXACT = Stop(gap=1e-7)
MINIATURES = {"L": 0.01, "D": 0.03, "J": 0.03, "X": 0.0025}


@pytest.mark.deep
@pytest.mark.parametrize("name", MINIATURES)
# The CBC that comes with PuLP 3 is what its users have; PuLP 4 will take it from a package of its own.
@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD is deprecated:DeprecationWarning")
def test_peers_find_the_same_optimum(name: str) -> None:
    pytest.importorskip("linopy", reason="the peers come with the group `bench`")
    ours = perform(Job(OURS, name, MINIATURES[name], EXACT))
    assert ours.answer.status == "optimal"
    for peer in PEERS:
        result = perform(Job(peer, name, MINIATURES[name], EXACT))
        assert agree(ours.answer, result.answer), (peer, ours.answer, result.answer)
        assert result.answer.objective == pytest.approx(ours.answer.objective, rel=1e-6), peer
