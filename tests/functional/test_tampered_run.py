"""A run folder that was changed after it was written: `verify` names every figure that fails verification."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from friendshore.errors import InputError
from friendshore.plugins import Registry
from friendshore.recommend import RunCheck, reopen, verify_run

from .forging import resum
from .program import call

Change = Callable[[Any], None]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the first case."""
    folder = tmp_path_factory.mktemp("original")
    for arguments in (
        ["init", "--start", "2026-10-01", str(folder / "case")],
        ["plan", str(folder / "case"), "--out", str(folder / "run"), "-q"],
    ):
        assert call(arguments, os.environ).returncode == 0
    return folder / "run"


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Path:
    """A copy of it to tamper with."""
    return Path(shutil.copytree(original, tmp_path / "run"))


def verified(run: Path) -> RunCheck:
    """What a check of the folder finds, with friendshore's own kinds of rules alone."""
    return verify_run(run, Registry.of())


def change_json(path: Path, change: Change) -> None:
    """Changes what a JSON file holds."""
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def purchase(data: dict[str, Any], offer: str) -> dict[str, Any]:
    """The first purchase from an offer, in a run or in a plan."""
    found: dict[str, Any] = next(p for p in data["purchases"] if p["offer"] == offer)
    return found


def test_an_untouched_run_is_verified(run: Path) -> None:
    """Nothing is found in what nobody changed."""
    found = verified(run)
    assert found.findings == ()
    assert found.verified
    assert found.exit_code == 0


TOLD: list[tuple[str, Change, str]] = [
    ("quantity", lambda p: p.update(quantity_kg=p["quantity_kg"] + 1), "quantity_kg"),
    ("origin", lambda p: p["countries"].update(refined=["AU"]), "countries.refined"),
    ("cost", lambda p: p.update(cost=p["cost"] - 100), "cost"),
    ("day of order", lambda p: p.update(order_by="2026-12-31"), "order_by"),
    ("order at once", lambda p: p.update(at_once=not p["at_once"]), "at_once"),
    ("duty left out", lambda p: p.update(duty_on_inputs=1), "duty_on_inputs"),
    ("full price", lambda p: p.update(full_price_per_kg=p["full_price_per_kg"] - 1), "full_price_per_kg"),
    ("cost of inputs", lambda p: p.update(inputs_cost=1), "inputs_cost"),
]


@pytest.mark.parametrize(("change", "place"), [t[1:] for t in TOLD], ids=[t[0] for t in TOLD])
def test_one_figure_changed_in_the_run_is_named(run: Path, change: Change, place: str) -> None:
    """A quantity, an origin or a cost changed in `run.json` is one finding, with the purchase and the field."""
    change_json(run / "run.json", lambda data: change(purchase(data, "guangxi-gallium")))
    found = verified(run)
    assert found.exit_code == 4
    assert [Path(p.file).name for p in found.findings] == ["run.json"]
    assert found.findings[0].column.partition(".")[2] == place
    assert "guangxi-gallium" in found.findings[0].message
    assert found.findings[0].found
    assert found.findings[0].expected


def test_cash_moved_from_one_period_to_another_is_named(run: Path) -> None:
    """Its total stays the same, and each of the two sums is found."""

    def moved(data: dict[str, Any]) -> None:
        data["cash"][0]["amount"] -= 1000
        data["cash"][1]["amount"] += 1000

    change_json(run / "run.json", moved)
    assert [p.column for p in verified(run).findings] == ["cash[1].amount", "cash[2].amount"]


@pytest.mark.parametrize("field", ["periods", "demands", "purchases"])
def test_entries_in_another_order_are_named(run: Path, field: str) -> None:
    """Charts and first lines go by it: with the periods turned round, the days on which bans begin were left out."""
    change_json(run / "run.json", lambda data: data[field].reverse())
    assert [p.column for p in verified(run).findings] == [f"{field}[1]"]


CELLS = [
    ("quantity_kg", "1.5"),
    ("countries", "mined: AU; refined: AU"),
    ("cost", "1"),
    ("order_by", "2026-12-31"),
    ("late_days", "0"),
    ("full_price_per_kg", "1"),
]


@pytest.mark.parametrize(
    ("column", "value"), CELLS, ids=["quantity", "origin", "cost", "day of order", "late", "full price"]
)
def test_one_cell_changed_in_a_table_is_named(run: Path, column: str, value: str) -> None:
    """The same changed in `purchases.csv` is one finding, with row and column."""
    path = run / "purchases.csv"
    header, first, *rest = path.read_text().splitlines()
    cells = first.split(",")
    cells[header.split(",").index(column)] = value
    path.write_text("\n".join([header, ",".join(cells), *rest]) + "\n")
    found = verified(run)
    assert found.exit_code == 4
    assert [(Path(p.file).name, p.row, p.column) for p in found.findings] == [("purchases.csv", 2, column)]


def _facts_quantity(facts: dict[str, Any]) -> None:
    purchase(facts["plan"], "guangxi-gallium")["quantity"] += 1


def _facts_origin(facts: dict[str, Any]) -> None:
    offer = next(o for o in facts["catalogs"][0]["offers"] if o["id"] == "guangxi-gallium")
    next(e for e in offer["chain"] if e["stage"] == "refined")["countries"] = ["AU"]


def _facts_banned_origin(facts: dict[str, Any]) -> None:
    offer = next(o for o in facts["catalogs"][0]["offers"] if o["id"] == "quebec-gallium")
    next(e for e in offer["chain"] if e["stage"] == "refined")["countries"] = ["CN"]


def _facts_cost(facts: dict[str, Any]) -> None:
    offer = next(o for o in facts["catalogs"][0]["offers"] if o["id"] == "guangxi-gallium")
    offer["price"]["amount"] -= 100


FACTS: list[tuple[str, Change, str, str]] = [
    ("quantity", _facts_quantity, "guangxi-gallium", "quantity_kg"),
    ("origin", _facts_origin, "guangxi-gallium", "countries.refined"),
    ("banned origin", _facts_banned_origin, "quebec-gallium", "countries.refined"),
    ("cost", _facts_cost, "guangxi-gallium", "price"),
]


@pytest.mark.parametrize(("change", "offer", "place"), [t[1:] for t in FACTS], ids=[t[0] for t in FACTS])
def test_one_figure_changed_in_the_facts_is_named(run: Path, change: Change, offer: str, place: str) -> None:
    """The same changed in `facts.json` is found though the plan then does not hold: the purchase and the field are named."""
    change_json(run / "facts.json", change)
    found = verified(run)
    assert found.exit_code == 4
    assert any(offer in p.message and p.column.endswith(f".{place}") for p in found.findings), found.findings


def test_an_origin_that_the_law_forbids_is_named_with_the_rule(run: Path) -> None:
    """If the facts say that a purchase was refined where it may not be, the rule and the stage are told."""
    change_json(run / "facts.json", _facts_banned_origin)
    said = " ".join(p.message for p in verified(run).findings)
    assert "defense-origin" in said
    assert "refined" in said


def test_everything_else_that_is_changed_is_named_too(run: Path) -> None:
    """A total, a verdict, a shortage that was made up and a delivery that was taken away are found at once."""
    change_json(run / "run.json", lambda data: data["cost"].update(total=1))
    rows = (run / "verdicts.csv").read_text().replace(",pass,", ",unproven,", 1)
    (run / "verdicts.csv").write_text(rows)
    lines = (run / "deliveries.csv").read_text().splitlines()
    (run / "deliveries.csv").write_text("\n".join(lines[:-1]) + "\n")
    with (run / "shortages.csv").open("a") as file:
        file.write("radar,gallium-4n,defense,US,2027-Q1,5,500,capacity,\n")
    found = verified(run)
    assert {Path(p.file).name for p in found.findings} == {
        "run.json",
        "verdicts.csv",
        "deliveries.csv",
        "shortages.csv",
    }
    assert len(found.findings) == 4


def test_a_changed_hash_is_named(run: Path) -> None:
    """The data that the run says it used must be those that its facts name."""
    change_json(run / "run.json", lambda data: data["plugins"][0].update(digest="0" * 64))
    found = verified(run)
    assert found.exit_code == 4
    assert any("first-catalog" in p.message for p in found.findings)


def test_a_question_about_a_run_that_was_changed_says_so(run: Path) -> None:
    """Also where the plan stays what it was: a title is another one, in the facts and in the run."""
    assert reopen(run, registry=Registry.of()).notes == ()

    def retitle(facts: dict[str, Any]) -> None:
        facts["catalogs"][0]["title"] = "Audited offers"

    change_json(run / "facts.json", retitle)
    (note,) = reopen(run, registry=Registry.of()).notes
    assert note.startswith("changed since the run was written: facts.json;")


def test_a_rule_whose_plugin_is_missing_is_left_unverified_and_named(run: Path) -> None:
    """A kind that nobody brings here cannot be asked: the rest is checked, and the exit code says that not all was."""

    def rename(facts: dict[str, Any]) -> None:
        rule = next(r for r in facts["rules"] if r["data"]["id"] == "not-all-from-one")
        rule.update(kind="house-rule", owner="friendshore-house 1.0")
        rule["data"]["kind"] = "house-rule"

    change_json(run / "facts.json", rename)
    resum(run)
    found = verified(run)
    assert found.findings == ()
    assert not found.verified
    assert found.exit_code == 3
    assert ["not-all-from-one" in p.message for p in found.unchecked] == [True]
    assert "friendshore-house 1.0" in found.unchecked[0].fix
    change_json(run / "run.json", lambda data: purchase(data, "guangxi-gallium").update(quantity_kg=1))
    assert verified(run).exit_code == 4


def _facility(**values: Any) -> Change:
    return lambda facts: facts["catalogs"][0]["facilities"][0].update(values)


def _circle(facts: Any) -> None:
    first, second, *_ = facts["catalogs"][0]["facilities"]
    first["within"], second["within"] = second["id"], first["id"]


def _bought(**values: Any) -> Change:
    return lambda facts: facts["plan"]["purchases"][0].update(values)


BENT: dict[str, Change] = {
    "a facility within itself": lambda facts: _facility(within=facts["catalogs"][0]["facilities"][0]["id"])(facts),
    "facilities in a circle": _circle,
    "a facility without a name": _facility(id=""),
    "a facility renamed": _facility(id="nobody"),
    "an offer of no facility": lambda facts: facts["catalogs"][0]["offers"][0].update(facility=""),
    "an offer of nothing known": lambda facts: facts["catalogs"][0]["offers"][0]["outputs"][0].update(material="x"),
    "no materials": lambda facts: facts["catalogs"][0].update(materials=[]),
    "a stage that is none": lambda facts: facts["catalogs"][0]["offers"][0]["chain"][0].update(stage="stolen"),
    "no place": lambda facts: facts["case"].update(place="nobody"),
    "stock nowhere": lambda facts: facts["case"].update(
        stocks=[{"material": facts["catalogs"][0]["materials"][0]["id"], "quantity": 1, "place": "nobody"}]
    ),
    "a delivery in 10^19 periods": _bought(delivered=10**19),
    "a quantity of a million digits": _bought(quantity="1e999999"),
    "a quantity too small to write": _bought(quantity="1e-999999"),
    "a case that is none": lambda facts: facts.update(case=[]),
    "a catalog that is none": lambda facts: facts.update(catalogs=[7]),
    "rules that are none": lambda facts: facts.update(rules=7),
}


@pytest.mark.parametrize("change", BENT.values(), ids=BENT.keys())
def test_facts_that_no_file_could_hold_are_refused(run: Path, change: Change) -> None:
    """Facts are looked at as files are: names that nothing answers to, circles and impossible numbers are told, and nothing breaks."""
    change_json(run / "facts.json", change)
    with pytest.raises(InputError) as refused:
        verified(run)
    assert all(problem.file.startswith("facts.json") for problem in refused.value.problems)


def test_a_quantity_of_thirty_digits_is_found(run: Path) -> None:
    """It can be read, and is no multiple of the resolution that the verifier could not tell: the plan does not hold."""
    change_json(run / "facts.json", _bought(quantity="1e29"))
    assert verified(run).exit_code == 4


@pytest.mark.parametrize("file", ["run.json", "facts.json"])
def test_a_whole_number_of_thousands_of_digits_is_refused(run: Path, file: str) -> None:
    """Python reads no such number: the file is named, in words."""
    path = run / file
    path.write_text(path.read_text().replace("{", '{"n": ' + "9" * 5000 + ",", 1))
    with pytest.raises(InputError, match=file):
        verified(run)


def test_a_run_that_cannot_be_read_is_bad_input(run: Path) -> None:
    """A broken facts file is told on stderr in words, with exit code 2."""
    (run / "facts.json").write_text("{}")
    done = call(["verify", str(run)], os.environ)
    assert done.returncode == 2
    assert "facts.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_verify_names_what_is_not_so_on_stdout(run: Path) -> None:
    """As text and as JSON, with exit code 4."""
    change_json(run / "run.json", lambda data: purchase(data, "quebec-gallium").update(cost=1))
    text = call(["verify", str(run)], os.environ)
    assert text.returncode == 4
    assert "quebec-gallium" in text.stdout
    told = call(["verify", str(run), "--json"], os.environ)
    data = json.loads(told.stdout)
    assert (data["verified"], len(data["findings"])) == (False, 1)
