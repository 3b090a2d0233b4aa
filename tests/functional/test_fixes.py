"""Slips that planners make: each is reported once, where it is, with the fix."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from friendshore.case import load_case, stated_changes
from friendshore.errors import InputError
from friendshore.plugins import Registry
from friendshore.problem.changes import scenario_changes
from friendshore.recommend import gather
from friendshore.recommend.check import check

from .program import call
from .test_review import edit, folder

__all__ = ["folder"]

CASE, OFFERS = "case.toml", "catalog/offers.csv"
ORDER = '[[order]]\noffer = "quebec-gallium"\nquantity = "1 t"\narrives = {}'
LIMIT = '[[rule]]\nkind = "max-share"\nid = "limit"\nby = "supplier"\nshare = {}'

MISTAKES = {
    "a century and a half": (CASE, "periods = 6 ", "periods = 500 ", "case.periods", "plan at most 400 quarters"),
    "a decimal comma": (CASE, '"4 USD/kg"', '"4,50 USD/kg"', "assume.freight", "write 4.50: the decimal sign is a"),
    "a comma without quotes": (OFFERS, "540 USD/kg", "540,50 USD/kg", "", "write 540.50 USD/kg: the decimal sign"),
    "a sign of a currency": (OFFERS, "540 USD/kg", "540 $/kg", "price", "write USD in place of $"),
    "a percentage as a number": (CASE, '"8 %"', "8", "case.discount", 'write "8 %"'),
    "another day": (CASE, "start = 2026-10-01", "start = 01.10.2026", "", "like start = 2027-01-31"),
    "no quotes": (CASE, '"1 quarter"', "1 quarter", "", 'lead_time = "1 quarter"'),
    "a quote that is not closed": (CASE, '"first-case"', '"first-case', "", "add the quote at the end of the text"),
    "a capacity of each product": (
        "catalog/capacity.csv", "kwinana,2027-07-01", "quebec,,5 t/year,operating,invented\nkwinana,2027-07-01", "facility", "`max_per_year` of its offer",
    ),
    "an order that has arrived": (CASE, "", ORDER.format("2026-09-01"), "order[1].arrives", "as [[stock]]"),
    "an order after the end": (CASE, "", ORDER.format("2036-09-01"), "order[1].arrives", "plan more `periods`"),
    "a share in percent": (CASE, "", LIMIT.format('"70"'), "share", 'write "70 %"'),
    "a share of 70": (CASE, "", LIMIT.format("70"), "share", 'write "70 %"'),
}  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "column", "fix"), MISTAKES.values(), ids=MISTAKES)
def test_a_slip_is_the_only_mistake_and_comes_with_its_fix(
    folder: Path, file: str, old: str, new: str, column: str, fix: str
) -> None:
    """File, line and key or column, and what to write."""
    edit(folder, (old, new), file=file)
    (one,) = check(folder, Registry.of()).errors
    assert (one.file, one.column) == (str(folder / file), column)
    assert one.row is not None
    assert (
        new.splitlines()[0 if file.endswith("capacity.csv") else -1]
        in (folder / file).read_text(encoding="utf-8").splitlines()[one.row - 1]
    )
    assert fix in one.fix


@pytest.mark.parametrize("other", ["", "\n[[demand]]\nmaterial = 5\n"], ids=["alone", "beside another mistake"])
def test_a_missing_rate_is_one_problem_that_names_all_who_need_it(folder: Path, other: str) -> None:
    """Found where the facts are put together, and where another mistake keeps them from that."""
    edit(folder, ("700 USD/kg", "700 CHF/kg"), ("260 USD/kg", "260 CHF/kg"), ("540 USD/kg", "540 CHF/kg"), file=OFFERS)
    edit(folder, ("", other))
    found = [one for one in check(folder, Registry.of()).errors if "exchange rate" in one.message]
    (one,) = found
    assert (one.file, one.column, one.found) == (str(folder / OFFERS), "price", "an amount in CHF")
    assert all(name in one.message for name in ("quebec-gallium", "guangxi-gallium", "kwinana-gallium"))


@pytest.mark.parametrize(
    ("change", "fix"),
    [
        ("remove=quebec-galium", "`quebec-gallium`"),
        ("remove=Alumina", "`Example Alumina`"),
        ("capacity=quebc, factor=2", "`quebec`"),
        ("capacity=offer:quebec, factor=2", "`offer:quebec-gallium`"),
        ("price=gallium, factor=2", "`gallium-4n`"),
        ("demand=radr, factor=2", "`radar`"),
        ("stock=gallium, quantity=1 t, countries=US", "`gallium-4n`"),
        ("remove=nobody-of-that-name", ""),
    ],
)
def test_a_change_that_names_nothing_suggests_what_it_may_mean(folder: Path, change: str, fix: str) -> None:
    """A name like it, or one that has it as a part."""
    inputs = gather(load_case(folder), Registry.of()).inputs
    with pytest.raises(InputError) as caught:
        inputs.after(stated_changes([change]))
    assert caught.value.problems[0].fix == (f"did you mean {fix}?" if fix else "")


@pytest.mark.parametrize(
    ("name", "fix"), [("no-canda", "did you mean `no-canada`?"), ("canada", "did you mean `no-canada`?")]
)
def test_an_unknown_scenario_suggests_one_like_it(folder: Path, name: str, fix: str) -> None:
    """Or says how to state what it would have changed."""
    case = load_case(folder)
    with pytest.raises(InputError) as caught:
        scenario_changes(case, [name])
    assert caught.value.problems[0].fix == fix
    with pytest.raises(InputError, match="--change CHANGE"):
        scenario_changes(case.but(scenarios=()), [name])


@pytest.mark.parametrize(
    ("file", "old", "new", "row"),
    [(CASE, "periods = 6", "perods = 6", 11), ("catalog/capacity.csv", "facility,", "facilty,", 1)],
)
def test_a_misspelt_key_is_one_mistake(folder: Path, file: str, old: str, new: str, row: int) -> None:
    """That the key which is meant is missing goes without saying."""
    edit(folder, (old, new), file=file)
    (one,) = check(folder, Registry.of()).errors
    assert (one.row, one.fix) == (row, f"did you mean `{old.strip(', =6')}`?")


def test_an_option_of_another_command_suggests_what_it_is_called_here(folder: Path) -> None:
    """A page is written by --html, a run by --out."""
    done = call(["calendar", str(folder), "--out", "page.html"], os.environ)
    assert (done.returncode, "--html" in done.stderr) == (2, True)


@pytest.mark.parametrize("table", ["offers", "sources", "facilities", "materials"])
def test_a_table_under_another_name_is_the_only_mistake(folder: Path, table: str) -> None:
    """What it would define is named in other tables and in the case, which is no mistake of theirs."""
    edit(folder, ("", ORDER.format("2026-12-01")))
    (folder / f"catalog/{table}.csv").rename(folder / f"catalog/{table} list.csv")
    (one,) = check(folder, Registry.of()).errors
    assert (one.file, one.fix) == (str(folder / f"catalog/{table} list.csv"), f"did you mean `{table}.csv`?")


def test_an_offer_with_an_open_order_that_cannot_be_bought_is_pointed_out_first(folder: Path) -> None:
    """Its price is blank, which may be a slip: the plan would buy from somebody else."""
    edit(folder, ("", ORDER.format("2026-12-01")))
    edit(folder, ("700 USD/kg,invented", ","), file=OFFERS)
    first, *_ = check(folder, Registry.of()).suggestions
    lines = (folder / CASE).read_text(encoding="utf-8").splitlines()
    assert (first.file, first.column) == (str(folder / CASE), "order.offer")
    assert lines[(first.row or 0) - 1] == 'offer = "quebec-gallium"'
    assert "has an open order" in first.message
    assert "price" in first.message


@pytest.mark.parametrize(("share", "fix"), [('"0.7 %"', "write `70 %` if you mean 0.7"), ('"7 %"', ""), ("0.007", "")])
def test_a_share_of_less_than_a_percent_is_pointed_out(folder: Path, share: str, fix: str) -> None:
    """`0.7 %` is more often 70 %; who means less than one percent writes a number."""
    edit(folder, ("", LIMIT.format(share)))
    found = [one for one in check(folder, Registry.of()).suggestions if "less than one percent" in one.message]
    assert [(one.column, one.fix.partition(";")[0]) for one in found] == ([("rule.share", fix)] if fix else [])


NAMED = {
    "material": ('materials = ["galium-4n"]', "rule.materials", "did you mean `gallium-4n`?"),
    "element": ('elements = ["Gaa"]', "rule.elements", "did you mean `Ga`?"),
    "facility": ('facilities = ["quebc"]', "rule.facilities", "did you mean `quebec`?"),
}


@pytest.mark.parametrize(("line", "column", "fix"), NAMED.values(), ids=NAMED)
def test_a_bad_field_of_a_rule_hides_no_name_that_nothing_answers_to(
    folder: Path, line: str, column: str, fix: str
) -> None:
    """Neither in the same rule nor in another one: both are reported at once, each at its line."""
    edit(folder, ("", f"{LIMIT.format('70')}\n{line}"))
    found = {one.column: one for one in check(folder, Registry.of()).errors}
    assert set(found) == {"share", column}
    assert found[column].fix == fix
    text = (folder / CASE).read_text(encoding="utf-8").splitlines()
    assert text[(found[column].row or 0) - 1] == line
