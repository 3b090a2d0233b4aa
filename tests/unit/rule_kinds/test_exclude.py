"""What the planner keeps out."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from friendshore.domain.use import Result
from friendshore.rules.kinds import Exclude

from .samples import CLEAN, move, offer, use


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"offers": ["o"]}, "offer o"),
        ({"facilities": ["f"]}, "facility f"),
        ({"suppliers": ["Works"]}, "supplier Works Ltd"),
        ({"parents": ["holding"]}, "parent Holding AG"),
        ({"countries": ["Japan"]}, "country JP"),
        ({"catalogs": ["world"]}, "catalog world"),
    ],
)
def test_exclude_by_any_of_its_lists(fields: dict[str, Any], words: str) -> None:
    """What any list names is kept out, and the verdict says by which."""
    rule = Exclude.model_validate({"id": "out", **fields})
    chained = offer(CLEAN, operator="Works Ltd", parent="Holding AG", catalog="world")
    verdict = rule.judge(chained, move(), use(end_use="civil"))
    assert (verdict.result, verdict.rule) == (Result.FAIL, "out")
    assert verdict.reason.endswith(words)


def test_exclude_leaves_the_rest_alone() -> None:
    """Other offers, materials and end uses are not touched."""
    chained = offer(CLEAN)
    assert Exclude(offers=frozenset({"other"})).judge(chained, move(), use()).passes
    assert Exclude(offers=frozenset({"o"}), forms=("oxide",)).judge(chained, move(), use()).passes
    rule = Exclude(offers=frozenset({"o"}), end_uses=frozenset({"civil"}))
    assert rule.judge(chained, move(), use()).passes
    assert not rule.concerns(use())


def test_exclude_looks_at_the_site_not_at_the_chain() -> None:
    """A magnet from Japan of Chinese oxide does not come from China in the sense of this rule."""
    rule = Exclude.model_validate({"countries": ["CN"]})
    assert rule.judge(offer({**CLEAN, "mined": "CN"}), move(), use()).passes


def test_an_exclude_that_names_nothing_is_refused() -> None:
    """Without a name it would keep everything out."""
    with pytest.raises(ValidationError, match="name at least one of offers, facilities"):
        Exclude()


@pytest.mark.parametrize(
    "typed",
    ["N\u200borinco", "\uff2eorinco", "N\u043erinco", "\u041dORINCO".replace("\u041d", "\u039d"), "Norin\u0301co", "The Norinco Group", "Norinco_Ltd", "N0rinco", "\u0274\u1d0f\u0280\u026a\u0274\u1d04\u1d0f"],
)  # fmt: skip
def test_a_listed_party_is_not_missed_for_how_it_is_typed(typed: str) -> None:
    """Signs that nobody sees, wide letters, look-alikes, accents and small capitals; another name is another party."""
    rule = Exclude(id="out", suppliers=("Norinco",))
    assert not rule.judge(offer(CLEAN, operator=typed), move(), use()).passes
    assert rule.judge(offer(CLEAN, operator="Norilsk"), move(), use()).passes


@pytest.mark.parametrize("name", ["", " ", "-", "The"])
def test_a_party_without_a_name_is_refused(name: str) -> None:
    """A rule about it would bear on nobody."""
    with pytest.raises(ValidationError, match="the name of no party"):
        Exclude(id="out", suppliers=(name,))
