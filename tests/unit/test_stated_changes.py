"""Changes stated in a line, as `--change` takes them: read as the change tables of a case file are, and refused likewise."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from friendshore.case import stated_changes
from friendshore.domain.change import Change, TermKind
from friendshore.domain.facts import Status
from friendshore.errors import InputError

from ..building import refused

READ = {
    "disable=china-halt": Change(disable="china-halt"),
    " capacity = plant , factor = 50 %, from=2027-07-01 ": Change(
        capacity="plant", factor=Decimal("0.5"), start=date(2027, 7, 1)
    ),
    "price=bench, amount=5 USD/kg, date=2026-06-30": Change(
        price="bench", amount=Decimal(5), currency="USD", date=date(2026, 6, 30)
    ),
    "demand=radar, shortage_price=500 EUR/kg": Change(demand="radar", shortage_price=Decimal(500), currency="EUR"),
    "price=outside:CN, amount=500 EUR/kg": Change(price="outside:CN", amount=Decimal(500), currency="EUR"),
    "stock=tungsten, quantity=5 t, countries=US;CA": Change(
        stock="tungsten", quantity=Decimal(5000), countries=frozenset({"US", "CA"})
    ),
    "remove=supplier:Acme, Inc., from=2027-01-01": Change(remove="supplier:Acme, Inc.", start=date(2027, 1, 1)),
    "lift=lot, why=as if, for once": Change(lift=TermKind.LOT, why="as if, for once"),
    "accept=announced,factor=1": Change(accept=Status.ANNOUNCED, factor=Decimal(1)),
    "demand=defense, delay=2 quarters": Change(demand="defense", delay=Decimal(6)),
}
REFUSED = {
    "disable": "expected SUBJECT=NAME, KEY=VALUE",
    "disable=": "expected SUBJECT=NAME, KEY=VALUE",
    "": "cannot be read",
    "disabel=x": "did you mean `disable`?",
    "capacity=x, factor=a lot": "expected a share",
    "factor=2": "exactly one of enable",
    "remove=a, price=b, factor=2": "exactly one of enable",
    "price=x": "`price` needs `factor` or `amount`",
    "capacity=x, factor=2, date=2026-06-30": "`capacity` does not read `date`",
    "price=x, factor=2, shortage_price=5 USD/kg": "`price` does not read `shortage_price`",
    "disable=x, factor=2": "`disable` does not read `factor`",
    "disable=x, disable=y": "is given twice",
    "disable=x, from=2028-01-01, until=2027-01-01": "`until` (2027-01-01)",
}


@pytest.mark.parametrize("text", READ)
def test_a_line_is_read_as_a_table_of_a_case_file_is(text: str) -> None:
    """Keys, amounts with units, lists and dates are those of a scenario's `change` tables; a comma within a name is no end of it."""
    assert stated_changes([text]) == (READ[text],)


@pytest.mark.parametrize("text", REFUSED)
def test_what_makes_no_change_is_refused_with_its_line(text: str) -> None:
    """The same diagnostics as of a file, told of the option."""
    with pytest.raises(InputError) as caught:
        stated_changes([text])
    assert f"--change '{text}'" in str(caught.value)
    assert REFUSED[text] in str(caught.value)


def test_all_mistakes_of_all_lines_are_told_at_once() -> None:
    """One mistake does not hide another."""
    assert len(refused(stated_changes, ["disable=fine", "capacity=x, factor=a, from=b", "nothing"])) == 3
