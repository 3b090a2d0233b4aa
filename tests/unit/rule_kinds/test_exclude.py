"""What the planner keeps out."""

from __future__ import annotations

from typing import Any

import pytest

from friendshore.domain.use import Result
from friendshore.rules.kinds import Exclude

from .samples import CLEAN, move, offer, use


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"offers": ["o"]}, "offer o"), ({"facilities": ["f"]}, "facility f"),
        ({"suppliers": ["Works"]}, "supplier Works Ltd"), ({"parents": ["holding"]}, "parent Holding AG"),
        ({"countries": ["Japan"]}, "country JP"), ({"catalogs": ["world"]}, "catalog world"),
    ],
)  # fmt: skip
def test_exclude_by_any_of_its_lists(fields: dict[str, Any], words: str) -> None:
    """What any list names is kept out, and the verdict says by which."""
    rule = Exclude.model_validate({"id": "out", **fields})
    chained = offer(CLEAN, operator="Works Ltd", parent="Holding AG", catalog="world")
    verdict = rule.judge(chained, move(), use(end_use="civil"))
    assert (verdict.result, verdict.rule) == (Result.FAIL, "out")
    assert verdict.reason.endswith(words)


@pytest.mark.parametrize(
    "fields",
    [{"offers": ["other"]}, {"offers": ["o"], "forms": ["oxide"]}, {"offers": ["o"], "end_uses": ["civil"]}, {"countries": ["CN"]}],
    ids=["another offer", "another form", "another use", "the site of the offer is in Japan"],
)  # fmt: skip
def test_exclude_leaves_the_rest_alone(fields: dict[str, Any]) -> None:
    """A magnet from Japan of Chinese ore does not come from China in the sense of this rule."""
    rule = Exclude.model_validate(fields)
    assert rule.judge(offer({**CLEAN, "mined": "CN"}), move(), use()).passes
    assert rule.concerns(use()) is ("end_uses" not in fields)


@pytest.mark.parametrize(
    "typed",
    ["N\u200borinco", "\uff2eorinco", "N\u043erinco", "\u041dORINCO".replace("\u041d", "\u039d"), "Norin\u0301co", "The Norinco Group", "Norinco_Ltd", "N0rinco", "\u0274\u1d0f\u0280\u026a\u0274\u1d04\u1d0f"],
)  # fmt: skip
def test_a_listed_party_is_not_missed_for_how_it_is_typed(typed: str) -> None:
    """Signs that nobody sees, wide letters, look-alikes, accents and small capitals; another name is another party."""
    rule = Exclude(id="out", suppliers=("Norinco",))
    assert not rule.judge(offer(CLEAN, operator=typed), move(), use()).passes
    assert rule.judge(offer(CLEAN, operator="Norilsk"), move(), use()).passes
