"""The verdict table of one stage, and how stages combine."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from friendshore.domain.use import Result, Verdict
from friendshore.rules.verdicts import Prohibited, result_of, worst

CODES = st.frozensets(st.sampled_from(["AU", "CN", "JP", "KP", "RU", "US"]), max_size=6)
BARRED = st.builds(Prohibited, CODES, st.booleans())
CN_RU = Prohibited(frozenset({"CN", "RU"}))


@pytest.mark.parametrize(
    ("possible", "complete", "expected"),
    [
        ("", True, Result.UNPROVEN), ("", False, Result.UNPROVEN), ("AU", True, Result.PASS), ("AU JP", True, Result.PASS),
        ("AU", False, Result.UNPROVEN), ("CN", True, Result.FAIL), ("CN RU", True, Result.FAIL), ("CN", False, Result.UNPROVEN),
        ("CN AU", True, Result.UNPROVEN), ("CN AU", False, Result.UNPROVEN),
    ],
)  # fmt: skip
def test_the_table(possible: str, complete: bool, expected: Result) -> None:
    """Each cell of the verdict table gives what the design says."""
    assert result_of(frozenset(possible.split()), complete, CN_RU) is expected


@pytest.mark.parametrize(
    ("possible", "expected"), [("US", Result.PASS), ("KR", Result.FAIL), ("US KR", Result.UNPROVEN)]
)
def test_an_allow_list_bars_everything_else(possible: str, expected: Result) -> None:
    """A rule that names what is free bars every other country."""
    barred = Prohibited(frozenset({"US", "JP"}), all_but=True)
    assert result_of(frozenset(possible.split()), True, barred) is expected


@given(possible=CODES, complete=st.booleans(), countries=CODES, more=CODES)
def test_a_wider_ban_never_turns_into_a_pass(
    possible: frozenset[str], complete: bool, countries: frozenset[str], more: frozenset[str]
) -> None:
    """Barring more countries never makes a verdict better, and allowing more never makes it worse."""

    def rank(named: frozenset[str], all_but: bool) -> int:
        return result_of(possible, complete, Prohibited(named, all_but=all_but)).rank

    assert rank(countries | more, all_but=False) >= rank(countries, all_but=False)
    assert rank(countries | more, all_but=True) <= rank(countries, all_but=True)


@given(possible=CODES, complete=st.booleans(), barred=BARRED, more=CODES)
def test_more_possible_countries_never_turn_into_a_pass(
    possible: frozenset[str], complete: bool, barred: Prohibited, more: frozenset[str]
) -> None:
    """What does not pass still does not pass when it may have happened in further countries; nothing known is the exception.

    A list that is not known to be complete neither passes nor fails.
    """
    if possible and result_of(possible, complete, barred) is not Result.PASS:
        assert result_of(possible | more, complete, barred) is not Result.PASS
    assert result_of(possible, False, barred) is Result.UNPROVEN


@given(st.lists(st.sampled_from(list(Result)), max_size=8))
@example([Result.PASS, Result.FAIL, Result.FAIL])
def test_fail_beats_unproven_beats_pass(results: list[Result]) -> None:
    """The verdict over stages is the first of the worst of them, so that reports do not change with nothing changed; none at all is a pass."""
    verdict = worst(Verdict(result=result, stage=str(i)) for i, result in enumerate(results))
    expected = next((r for r in (Result.FAIL, Result.UNPROVEN) if r in results), Result.PASS)
    assert verdict.result is expected
    if results:
        assert verdict.stage == str(results.index(expected))
