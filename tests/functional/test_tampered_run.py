"""A run folder that was changed after it was written: `verify` names every figure that fails verification."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from friendshore.case import load_case
from friendshore.cli.cases import write_starter
from friendshore.errors import InputError
from friendshore.plugins import Registry
from friendshore.recommend import CheckAnswer, CheckRequest, RunCheck, RunChecker, plan, reopen, verdicts, verify_run
from friendshore.run import add_to_run, write_run

from ..building import case, catalog, demand, facility, planned, source
from .forging import resum
from .program import call

Change = Callable[[Any], None]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of the starter case."""
    folder = tmp_path_factory.mktemp("original")
    write_starter(folder / "case")
    found = plan(load_case(folder / "case"), registry=Registry.of(), workers=1)
    write_run(folder / "run", found.run, found.facts(), verdicts(found.plan))
    return folder / "run"


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Path:
    """Return a copy of it to tamper with."""
    return Path(shutil.copytree(original, tmp_path / "run"))


def verified(run: Path) -> RunCheck:
    """Check the folder with friendshore's own kinds of rules alone."""
    return verify_run(run, Registry.of())


def change_json(path: Path, change: Change) -> None:
    """Change a JSON file."""
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def purchase(data: dict[str, Any], offer: str) -> dict[str, Any]:
    """Return the first purchase from an offer, in a run or in a plan."""
    found: dict[str, Any] = next(p for p in data["purchases"] if p["offer"] == offer)
    return found


def test_an_untouched_run_is_verified(run: Path) -> None:
    """Nothing is found."""
    found = verified(run)
    assert (found.findings, found.verified, found.exit_code) == ((), True, 0)


def without_codes(assumptions: list[dict[str, Any]]) -> None:
    """Remove the fields that assumptions of older runs don't have."""
    for row in assumptions:
        del row["code"], row["short"]


def test_a_run_from_before_assumptions_had_codes_is_verified(run: Path) -> None:
    """It has neither field in any of them. In a newer run, both are compared."""
    change_json(run / "run.json", lambda data: without_codes(data["assumptions"]))
    resum(run)
    assert verified(run).findings == ()
    change_json(run / "run.json", lambda data: data["assumptions"][0].update(code="", short=""))
    resum(run)
    assert "assumptions[1].code" in [found.column for found in verified(run).findings]


def test_causes_of_a_shortage_are_taken_as_told(tmp_path: Path) -> None:
    """Finding them takes further solves."""
    found = planned(case(demand("metal", "civil", 10)), catalog(facility("cn", "CN", 4), source("CN", 10)))
    write_run(tmp_path / "run", found.run, found.facts(), verdicts(found.plan))
    assert any(text == "causes of the shortage of 1 demand" for text in verified(tmp_path / "run").as_told)


@pytest.mark.parametrize("code", ["FS750", ""])
def test_the_code_of_a_cause_follows_from_its_kind(tmp_path: Path, code: str) -> None:
    """Another code is refused or reported. A run without codes, as earlier versions wrote it, still verifies."""
    found = planned(case(demand("metal", "civil", 10)), catalog(facility("cn", "CN", 4), source("CN", 10)))
    write_run(tmp_path / "run", found.run, found.facts(), verdicts(found.plan))

    def restrictions(data: Any) -> list[dict[str, Any]]:
        return [each for row in data["shortages"] for cause in row["causes"] for each in cause["restrictions"]]

    written = json.loads((tmp_path / "run" / "run.json").read_text())
    assert [(each["kind"], each["code"]) for each in restrictions(written)] == [("capacity", "FS755")]
    change_json(tmp_path / "run" / "run.json", lambda data: restrictions(data)[0].update(code=code))
    if code:
        with pytest.raises(InputError, match="FS755"):
            verified(tmp_path / "run")
    else:
        assert [p.column.rpartition(".")[2] for p in verified(tmp_path / "run").findings] == ["code"]
    change_json(tmp_path / "run" / "run.json", lambda data: restrictions(data)[0].pop("code"))
    resum(tmp_path / "run")
    assert verified(tmp_path / "run").verified


TOLD: list[tuple[str, Change]] = [
    ("quantity_kg", lambda p: p.update(quantity_kg=p["quantity_kg"] + 1)),
    ("countries.refined", lambda p: p["countries"].update(refined=["AU"])),
    ("cost", lambda p: p.update(cost=p["cost"] - 100)),
    ("order_by", lambda p: p.update(order_by="2026-12-31")),
    ("at_once", lambda p: p.update(at_once=not p["at_once"])),
    ("duty_on_inputs", lambda p: p.update(duty_on_inputs=1)),
    ("full_price_per_kg", lambda p: p.update(full_price_per_kg=p["full_price_per_kg"] - 1)),
    ("inputs_cost", lambda p: p.update(inputs_cost=1)),
]


@pytest.mark.parametrize(("place", "change"), TOLD)
def test_one_figure_changed_in_the_run_is_named(run: Path, place: str, change: Change) -> None:
    """A change in `run.json` is one finding, with the purchase and the field."""
    change_json(run / "run.json", lambda data: change(purchase(data, "guangxi-gallium")))
    found = verified(run)
    assert found.exit_code == 4
    assert [Path(p.file).name for p in found.findings] == ["run.json"]
    assert found.findings[0].column.partition(".")[2] == place
    assert "guangxi-gallium" in found.findings[0].message
    assert found.findings[0].found
    assert found.findings[0].expected


def _move_cash(data: Any) -> None:
    data["cash"][0]["amount"] -= 1000
    data["cash"][1]["amount"] += 1000


@pytest.mark.parametrize(
    ("change", "columns"),
    [
        (_move_cash, ["cash[1].amount", "cash[2].amount"]),
        *((lambda data, of=of: data[of].reverse(), [f"{of}[1]"]) for of in ("periods", "demands", "purchases")),
    ],
    ids=["cash", "periods", "demands", "purchases"],
)
def test_what_is_moved_is_named(run: Path, change: Change, columns: list[str]) -> None:
    """Cash in another period at the same total, and entries in another order, which charts follow."""
    change_json(run / "run.json", change)
    assert [p.column for p in verified(run).findings] == columns


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("quantity_kg", "1.5"),
        ("countries", "mined: AU; refined: AU"),
        ("cost", "1"),
        ("order_by", "2026-12-31"),
        ("late_days", "0"),
        ("full_price_per_kg", "1"),
    ],
)
def test_one_cell_changed_in_a_table_is_named(run: Path, column: str, value: str) -> None:
    """A change in `purchases.csv` is one finding, with row and column."""
    path = run / "purchases.csv"
    header, first, *rest = path.read_text().splitlines()
    cells = first.split(",")
    cells[header.split(",").index(column)] = value
    path.write_text("\n".join([header, ",".join(cells), *rest]) + "\n")
    found = verified(run)
    assert found.exit_code == 4
    assert [(Path(p.file).name, p.row, p.column) for p in found.findings] == [("purchases.csv", 2, column)]


def _offer(facts: Any, name: str) -> Any:
    return next(o for o in facts["catalogs"][0]["offers"] if o["id"] == name)


def _refined(name: str, *countries: str) -> Change:
    def change(facts: Any) -> None:
        next(e for e in _offer(facts, name)["chain"] if e["stage"] == "refined")["countries"] = list(countries)

    return change


def _change_quantity(facts: Any) -> None:
    purchase(facts["plan"], "guangxi-gallium")["quantity"] += 1


def _change_price(facts: Any) -> None:
    _offer(facts, "guangxi-gallium")["price"]["amount"] -= 100


@pytest.mark.parametrize(
    ("change", "offer", "place", "words"),
    [
        (_change_quantity, "guangxi-gallium", "quantity_kg", ()),
        (_refined("guangxi-gallium", "AU"), "guangxi-gallium", "countries.refined", ()),
        (_refined("quebec-gallium", "CN"), "quebec-gallium", "countries.refined", ("defense-origin", "refined")),
        (_change_price, "guangxi-gallium", "price", ()),
    ],
    ids=["quantity", "origin", "banned origin", "cost"],
)
def test_one_figure_changed_in_the_facts_is_named(
    run: Path, change: Change, offer: str, place: str, words: tuple[str, ...]
) -> None:
    """The purchase, the field, and the rule that forbids it are named, though the plan then doesn't hold."""
    change_json(run / "facts.json", change)
    found = verified(run)
    assert found.exit_code == 4
    assert any(offer in p.message and p.column.endswith(f".{place}") for p in found.findings), found.findings
    assert all(word in " ".join(p.message for p in found.findings) for word in words)


def test_everything_else_that_is_changed_is_named_too(run: Path) -> None:
    """A total, a verdict, a shortage that was made up, and a delivery that was taken away are found at once."""
    change_json(run / "run.json", lambda data: data["cost"].update(total=1))
    rows = (run / "verdicts.csv").read_text().replace(",pass,", ",unproven,", 1)
    (run / "verdicts.csv").write_text(rows)
    lines = (run / "deliveries.csv").read_text().splitlines()
    (run / "deliveries.csv").write_text("\n".join(lines[:-1]) + "\n")
    with (run / "shortages.csv").open("a") as file:
        file.write("radar,gallium-4n,defense,US,2027-Q1,5,500,capacity,\n")
    files = sorted(Path(p.file).name for p in verified(run).findings)
    assert files == ["deliveries.csv", "run.json", "shortages.csv", "verdicts.csv"]


def test_a_changed_hash_is_named(run: Path) -> None:
    """The run must name the data of its facts."""
    change_json(run / "run.json", lambda data: data["plugins"][0].update(digest="0" * 64))
    found = verified(run)
    assert (found.exit_code, any("first-catalog" in p.message for p in found.findings)) == (4, True)


def test_a_question_about_a_run_that_was_changed_says_so(run: Path) -> None:
    """Also where the plan stays the same."""
    assert reopen(run, registry=Registry.of()).notes == ()
    change_json(run / "facts.json", lambda facts: facts["catalogs"][0].update(title="Audited offers"))
    (note,) = reopen(run, registry=Registry.of()).notes
    assert note.startswith("facts.json changed after the run was written;")


def test_a_rule_whose_plugin_is_missing_is_left_unverified_and_named(run: Path) -> None:
    """The rest is checked, and the exit code says that not all was."""

    def rename(facts: Any) -> None:
        rule = next(r for r in facts["rules"] if r["data"]["id"] == "not-all-from-one")
        rule.update(kind="house-rule", owner="friendshore-house 1.0")
        rule["data"]["kind"] = "house-rule"

    change_json(run / "facts.json", rename)
    resum(run)
    found = verified(run)
    assert (found.findings, found.verified, found.exit_code) == ((), False, 3)
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
    "a facility within itself": lambda facts: facts["catalogs"][0]["facilities"][0].update(
        within=facts["catalogs"][0]["facilities"][0]["id"]
    ),
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
    """Unknown names, circles, and impossible numbers are told, as in files."""
    change_json(run / "facts.json", change)
    with pytest.raises(InputError) as refused:
        verified(run)
    assert all(problem.file.startswith("facts.json") for problem in refused.value.problems)


def test_a_quantity_of_thirty_digits_is_found(run: Path) -> None:
    """It can be read, and the plan doesn't hold."""
    change_json(run / "facts.json", _bought(quantity="1e29"))
    assert verified(run).exit_code == 4


@pytest.mark.parametrize("file", ["run.json", "facts.json"])
def test_a_whole_number_of_thousands_of_digits_is_refused(run: Path, file: str) -> None:
    """Python reads no such number."""
    path = run / file
    path.write_text(path.read_text().replace("{", '{"n": ' + "9" * 5000 + ",", 1))
    with pytest.raises(InputError, match=file):
        verified(run)


def test_a_run_that_cannot_be_read_is_bad_input(run: Path) -> None:
    """The command names the file, without a traceback."""
    (run / "facts.json").write_text("{}")
    done = call(["verify", str(run)], os.environ)
    assert (done.returncode, "facts.json" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


def test_verify_names_what_is_wrong_on_stdout(run: Path) -> None:
    """As text and as JSON."""
    change_json(run / "run.json", lambda data: purchase(data, "quebec-gallium").update(cost=1))
    text = call(["verify", str(run)], os.environ)
    assert (text.returncode, "quebec-gallium" in text.stdout) == (4, True)
    data = json.loads(call(["verify", str(run), "--json"], os.environ).stdout)
    assert (data["verified"], len(data["findings"])) == (False, 1)


class NoteCheck(RunChecker):
    """A check that reads a note in the run folder."""

    name = "note"
    files = ("note.txt",)

    def check(self, request: CheckRequest) -> CheckAnswer:
        return CheckAnswer(sentences=((request.stored.folder / "note.txt").read_text(),))


def test_a_file_that_a_check_added_is_sealed(run: Path) -> None:
    """Without the check, the file is not vouched for. A changed or missing file is found by its hash."""
    add_to_run(run, {"note.txt": b"bought in haste"})
    registry = Registry.of(checks=[NoteCheck()])
    assert verify_run(run, registry).findings == ()
    assert [finding.code for finding in verified(run).findings] == ["FS612"]
    (run / "note.txt").write_text("bought at leisure")
    assert [finding.code for finding in verify_run(run, registry).findings] == ["FS602"]
    (run / "note.txt").unlink()
    assert "FS602" in [finding.code for finding in verified(run).findings]


def test_nothing_is_added_to_a_changed_run(run: Path) -> None:
    """The new hashes would hide the change."""
    (run / "facts.json").write_text((run / "facts.json").read_text() + " ")
    with pytest.raises(InputError) as refused:
        add_to_run(run, {"note.txt": b"bought in haste"})
    assert [problem.code for problem in refused.value.problems] == ["FS602"]
    assert not (run / "note.txt").exists()
