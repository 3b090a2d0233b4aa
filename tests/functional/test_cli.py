"""The command line as a planner and a script meet it: answers, errors, exit codes, and nothing else on stdout."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.reference.pages import makers

from friendshore import errors
from friendshore.cli.options import CONFLICT, EXIT_CODES, LIMITS_RELAXED
from friendshore.document.excerpts import LINES

from .program import call

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
HEAVY = (
    "highspy", "ortools", "pandas", "scipy", "numpy", "pydantic", "rich", "pluggy", "pycountry", "friendshore.plugins",
)  # fmt: skip
SOLVING = (
    "highspy", "ortools", "scipy", "numpy", "openpyxl", "friendshore.solve", "friendshore.verify", "friendshore.explain",
)  # fmt: skip
SPARE = ("pandas", "openpyxl", "scipy", "numpy.ma", "rich.console")
INFEASIBLE = """
[[rule]]
kind = "pin"
id = "take-some"
offer = "quebec-gallium"
at_least = "300 kg"
[[rule]]
kind = "budget"
id = "for-nothing"
amount = 1
"""


def friendshore(
    *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs the command line as a program of its own, its output piped."""
    return call(list(map(str, arguments)), {**os.environ, "COLUMNS": "100", **(env or {})}, cwd)


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one JSON object that stdout holds."""
    data = json.loads(done.stdout)
    assert isinstance(data, dict)
    return data


Planned = tuple[subprocess.CompletedProcess[str], Path]


@pytest.fixture(scope="module")
def planned(first: Path, tmp_path_factory: pytest.TempPathFactory) -> Planned:
    """The first case, planned as text and written to a run folder."""
    run = tmp_path_factory.mktemp("planned") / "run"
    return friendshore("plan", first, "--out", run), run


def test_init_plan_verify(first: Path, planned: Planned) -> None:
    """What `init` writes has no mistakes and is planned, and what is planned is verified from its folder alone."""
    assert answer(friendshore("check", first, "--json"))["errors"] == []
    done, run = planned
    assert done.returncode == 0, done.stderr
    assert "optimal, confirmed by a second solver · verified" in done.stdout
    assert "Quebec gallium plant" in done.stdout
    checked = friendshore("verify", run)
    assert checked.returncode == 0, checked.stdout
    told = checked.stdout.splitlines()
    assert "verified" in told[0]
    assert {"Optimality", "Signature"} <= {line.partition(":")[0] for line in told}


@pytest.mark.deep
def test_a_command_loads_what_it_needs(first: Path, planned: Planned) -> None:
    """`--help` comes without models and plugins, lists without solver, a plan without tables and linear algebra; nothing reads its own source."""
    run = str(planned[1])
    # In one process, one after the other: what is not loaded after several was loaded by none of them.
    unneeded = {
        ("--help",): HEAVY,
        ("--version",): HEAVY,
        ("plugins", "list"): SOLVING,
        ("report", "--no-verify", run): SOLVING,
        **{(question, "--help"): ("numpy", "ortools", "friendshore.session") for question in ("risk", "interactive")},
        ("rules", "list"): ("ortools", "scipy", "openpyxl"),
        ("catalogs", "list"): ("ortools", "scipy", "openpyxl"),
        ("plan", str(first)): SPARE,
        ("verify", run): SPARE,
    }
    code = (
        "import linecache, sys\nfrom friendshore.cli import app\n"
        f"for command, modules in {list(unneeded.items())!r}:\n"
        "    try:\n        app(list(command))\n    except SystemExit as end:\n        assert not end.code\n"
        "    print([m for m in modules if m in sys.modules], sorted(linecache.cache), file=sys.stderr, flush=True)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300)
    assert done.stderr.splitlines() == ["[] []"] * len(unneeded), done.stderr


def test_a_run_is_told_on_one_page(planned: Planned) -> None:
    """`report` reads the folder alone."""
    done = friendshore("report", planned[1], "--format", "md")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# ")
    data = answer(friendshore("report", planned[1], "--json"))
    assert data["text"] == done.stdout
    assert {"FS840"} <= {caveat["code"] for caveat in data["caveats"]}


@pytest.mark.deep
def test_a_run_is_written_as_one_file_with_what_was_asked_of_it(planned: Planned, tmp_path: Path) -> None:
    """`report --format html --with … --out FILE` is made of the run alone: the same bytes each time, what is there left as it is."""
    run, asked = planned[1], "why-not=quebec-gallium, calendar"
    first, second = tmp_path / "first.html", tmp_path / "second.html"
    for path, form in ((first, ("--format", "html")), (second, ())):  # the name of the file says the form too
        done = friendshore("report", run, *form, "--with", asked, "--out", path)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"wrote {path}\n", "")
    page = first.read_bytes()
    assert (
        page == second.read_bytes() == friendshore("report", run, "--format", "html", "--with", asked).stdout.encode()
    )
    text = page.decode()
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert "effects of the code of" not in text  # plugins that print and answer take no part in the plan
    assert text.index("Basis") < text.index("Why not quebec-gallium") < text.index("What is available when")
    unnamed = friendshore("report", run, "--out", tmp_path / "first.txt")
    assert (unnamed.returncode, ".md, .html, .xlsx" in unnamed.stderr) == (2, True)
    again = friendshore("report", run, "--out", first, "--json")
    assert (again.returncode, answer(again)["errors"][0]["file"]) == (2, str(first))
    assert first.read_bytes() == page


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("new", "Did you mean 'init'?"),  # no spelling would lead to it
        ("init {new} --start 2027-01-15", "the first day of a month"),
        ("init {new} --start soon", "the first day of a month"),
        ("init {new} --start 9999-12-01", "the first day of a month"),
        ("plan {case} --scenario no-canda", "no-canada"),
        ("rules show orign-ban", "did you mean `origin-ban`"),
        ("report {case}", "FS606"),
        ("report {empty}", "run.json"),
        ("report {run} --with why-not", "why-not=OFFER"),
        ("report {run} --with compare", "friendshore compare"),
        ("report {run} --with ledger=x", "friendshore ledger"),
        ("report {run} --with no-such", "no-such"),
        ("ledger {case} --order lot --items lot", ""),
        ("compare {case}", ""),
        ("compare {case} {case} --scenario no-canada", ""),
    ],
)
def test_what_makes_no_sense_is_refused(line: str, words: str, first: Path, planned: Planned, tmp_path: Path) -> None:
    """Before anything is planned or written, and with what to do instead."""
    places = {"{new}": tmp_path / "new", "{empty}": tmp_path, "{case}": first, "{run}": planned[1]}
    done = friendshore(*(places.get(word, word) for word in line.split()))
    assert (done.returncode in (2, 3), done.stdout, words in done.stderr) == (True, "", True), done.stderr
    assert not (tmp_path / "new").exists()


def test_nothing_is_asked_of_a_run_that_does_not_hold(planned: Planned, tmp_path: Path) -> None:
    """Only what failed verification is told of it, in either form."""
    run = shutil.copytree(planned[1], tmp_path / "run")
    text = (run / "run.json").read_text(encoding="utf-8")
    (run / "run.json").write_text(re.sub(r'"quantity_kg": (\d)', r'"quantity_kg": 9\1', text, count=1))
    for form in ("md", "html"):
        done = friendshore("report", run, "--format", form, "--with", "calendar")
        told = [one in done.stdout for one in ("failed verification", "What is available when", "supplies")]
        assert (done.returncode, told) == (4, [True, False, False])


@pytest.mark.parametrize(
    ("day", "start"), [("2026-11-29", "2027-01-01"), ("2027-12-31", "2028-01-01"), ("2028-02-29", "2028-04-01")]
)
def test_a_first_case_starts_with_the_next_quarter_and_no_order_is_late(tmp_path: Path, day: str, start: str) -> None:
    """Whenever it is written, it is planned from then on: `init` writes the start, and the plan reads no clock."""
    seconds = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
    assert friendshore("init", tmp_path / "case", env={"SOURCE_DATE_EPOCH": str(seconds)}).returncode == 0
    plan = answer(friendshore("plan", tmp_path / "case", "--json"))
    assert [plan["periods"][0]["start"], plan["verified"], plan["shortage_kg"]] == [start, True, {}]
    assert {purchase["late_days"] for purchase in plan["purchases"]} == {0}
    assert min(purchase["order_by"] for purchase in plan["purchases"]) >= start


def test_a_case_is_never_overwritten(case: Path) -> None:
    """By a second `init`, which names every file that is there, nor by `--out`; and without `--out` a plan writes nothing."""
    before = {path: path.read_bytes() for path in case.rglob("*.*")}
    for arguments, words in (
        (("init", case), ("case.toml", "offers.csv")),
        (("plan", case, "--out", case), ("FS603",)),
    ):
        done = friendshore(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert all(word in done.stderr for word in words)
    assert friendshore("plan", ".", cwd=case).returncode == 0
    assert {path: path.read_bytes() for path in case.rglob("*.*")} == before


def test_json_is_the_run_and_nothing_else(first: Path, planned: Planned) -> None:
    """`plan --json` prints one object, whatever else is asked: `run.json` with its headline."""
    for more in ((), ("--full",)):
        done = friendshore("plan", first, "--json", *more)
        assert (done.returncode, done.stderr) == (0, "")
        printed = json.loads(done.stdout)
        assert printed.pop("headline")["trust"] == "proved"
        assert printed == json.loads((planned[1] / "run.json").read_text())


def test_a_scenario_is_applied(first: Path) -> None:
    """Its name stands in the run."""
    told = answer(friendshore("plan", first, "--scenario", "no-canada", "--json"))
    assert told["scenario"] == ["no-canada"]
    assert not [p for p in told["purchases"] if p["country"] == "CA" and p["ordered"] >= "2027-Q3"]


def test_a_kind_of_rule_shows_its_keys_and_those_of_tables_within() -> None:
    """What may be written in a rule is found without a clone of the repository."""
    told = answer(friendshore("rules", "show", "origin-ban", "--json"))
    keys = {path: {key["key"] for key in table["keys"]} for table in told["tables"] for path in table["within"]}
    assert {"stages", "exceptions", "recycled", "waivers"} <= keys[""]
    assert {"fact", "equals", "at_least"} <= keys["exceptions.unless"]
    assert {"id", "longest"} <= keys["waivers"]
    assert all(key["meaning"] for table in told["tables"] for key in table["keys"] if key["key"] != "kind")
    assert "In each of recycled" in friendshore("rules", "show", "origin-ban").stdout


def test_a_plan_is_one_screen_of_plain_text_and_all_tables_are_asked_for(planned: Planned, first: Path) -> None:
    """Without a terminal too, as wide as COLUMNS says; `--full` prints what a screen leaves out, `--quiet` four lines."""
    done, run = planned
    lines = done.stdout.splitlines()
    assert ("\x1b" in done.stdout, done.stderr, len(lines) <= LINES) == (False, "", True)
    assert all(line == line.rstrip() and len(line) <= 100 for line in lines)
    assert f"friendshore report {run} (a report)" in " ".join(done.stdout.split())
    full = friendshore("plan", first, "--full").stdout
    for title in ("Demand", "Mix, by time of delivery", "Assumptions", "Made with"):
        assert [f"\n{title}\n" in text for text in (full, done.stdout)] == [True, False]
    assert len(friendshore("plan", first, "--quiet").stdout.splitlines()) == 5


def test_conflicting_rules_are_a_result_with_a_code_of_its_own(case: Path) -> None:
    """Hard rules that cannot hold together have an exit code that no failure has: the plan is printed, and the rules are named."""
    (case / "case.toml").write_text((case / "case.toml").read_text() + INFEASIBLE)
    relaxed = friendshore("plan", case, "--json")
    assert (relaxed.returncode, [row["rule"] for row in answer(relaxed)["relaxed"]]) == (LIMITS_RELAXED, ["take-some"])
    done = friendshore("plan", case, "--strict-limits", "--json")
    assert done.returncode == CONFLICT, done.stdout + done.stderr
    told = answer(done)
    assert told["status"] == "infeasible"
    assert {"take-some", "for-nothing"} == {rule for conflict in told["conflicts"] for rule in conflict["rules"]}


@pytest.mark.parametrize(
    "arguments",
    [("plan", "nowhere.toml"), ("check", "nowhere.toml"), ("verify", "nowhere"), ("catalogs", "show", "nowhere"),
     ("rules", "show", "nowhere"), ("rules", "list", "nowhere.toml"), ("catalogs", "check", "./nowhere"),
     ("plugins", "check", "nowhere"), ("plugins", "check", "./nowhere"), ("plugins", "check", ".")],
)  # fmt: skip
def test_bad_input_is_told_without_a_traceback(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """What is not there is said in words on stderr, and as one object on stdout with `--json`."""
    done = friendshore(*arguments, cwd=tmp_path)
    assert done.returncode in (2, 3)
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr
    assert done.stdout == "" or arguments[0] == "check"
    told = friendshore(*arguments, "--json", cwd=tmp_path)
    assert (told.returncode, told.stderr) == (done.returncode, "")
    assert answer(told)["errors"]


def test_all_mistakes_of_case_and_catalog_are_told_at_once(case: Path) -> None:
    """A bad line in the case does not hide a bad row of a catalog."""
    for name, old, new in (
        ("case.toml", '"quarter"', '"fortnight"'),
        ("catalog/offers.csv", "700 USD/kg", "7 USD/pood"),
    ):
        (case / name).write_text((case / name).read_text().replace(old, new))
    done = friendshore("check", case, "--json")
    places = {(Path(e["file"]).name, e.get("column")) for e in answer(done)["errors"]}
    assert (done.returncode, places) == (2, {("case.toml", "case.period"), ("offers.csv", "price")})
    assert "2 errors" in friendshore("check", case).stdout


def test_a_check_takes_one_screen_and_tells_all_if_asked(case: Path) -> None:
    """Of 60 demands that want nothing as many are listed as one screen has lines, and how many there are besides; the answer stands first."""
    later = '[[demand]]\nid = "later-{0}"\nmaterial = "gallium-4n"\nend_use = "civil"\nper_year = "1 t"\nfrom = 2040-01-01\nwhy = "invented"\n'
    (case / "case.toml").write_text((case / "case.toml").read_text() + "".join(map(later.format, range(60))))
    short, full = (friendshore("check", case, *more).stdout for more in ((), ("--full",)))
    assert short.startswith("✓ no errors")
    assert LINES - 5 <= len(short.splitlines()) <= LINES
    assert short.count("later-") < full.count("later-") == 60
    assert short.splitlines()[-2] == f"· {full.count('·') - short.count('·') + 1} more (--full)"


def test_check_suggests_a_sharper_boundary(case: Path) -> None:
    """A date within a period is pointed out with the period and what the date is of."""
    (case / "case.toml").write_text((case / "case.toml").read_text().replace('period = "quarter"', 'period = "year"'))
    told = answer(friendshore("check", case, "--json"))
    assert any("2027-01-01" in s["message"] and "defense-origin" in s["message"] for s in told["suggestions"])


@pytest.mark.parametrize("noun", ["catalogs", "rules", "plugins"])
def test_lists_have_a_json_twin(noun: str) -> None:
    """Every list is a table and, with `--json`, the same rows as an object."""
    assert answer(friendshore(noun, "list", "--json"))[noun]
    assert friendshore(noun, "list").stdout.strip()


@pytest.mark.parametrize("bill", ["us-p-1803", "us-p-hr9073"])
def test_a_pending_bill_is_shown_as_pending(bill: str) -> None:
    """A bill that no house has passed is no law."""
    assert re.search(r"^status +pending$", friendshore("rules", "show", bill).stdout, re.MULTILINE)
    assert answer(friendshore("rules", "show", bill, "--json"))["status"] == "pending"


def test_rules_and_catalogs_of_a_case_are_shown_and_checked(first: Path) -> None:
    """`rules list CASE` holds the rules of the case itself; a folder stands for a catalog, with or without a `./`."""
    rows = answer(friendshore("rules", "list", first, "--json"))["rules"]
    assert {"defense-origin", "not-all-from-one"} == {row["id"] for row in rows}
    told = answer(friendshore("catalogs", "show", "catalog", "--json", cwd=first))
    assert {offer["id"] for offer in told["offers"]} == {"quebec-gallium", "guangxi-gallium", "kwinana-gallium"}
    shown = friendshore("catalogs", "show", "./catalog", cwd=first).stdout
    assert all(
        re.search(rf"^{name}\b", shown, re.MULTILINE)
        for name in ("quebec-gallium", *(m["id"] for m in told["materials"]))
    )
    assert friendshore("catalogs", "check", "catalog", cwd=first).returncode == 0


def test_the_encoding_of_the_terminal_stops_nothing(first: Path) -> None:
    """On a terminal that knows only ASCII the report is still printed, and JSON is still JSON."""
    env = {"PYTHONIOENCODING": "ascii"}
    told = friendshore("plan", first, env=env)
    assert told.returncode == 0
    assert [part in told.stdout for part in ("+ Both needs", "\\x", "\\u")] == [True, False, False]
    assert answer(friendshore("plan", first, "--json", env=env))["status"] == "optimal"


PAGES = makers()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_reference_is_current(name: str) -> None:
    """The pages are what `python -m tests.reference.pages docs/reference` writes."""
    assert (REFERENCE / name).read_text(encoding="utf-8") == PAGES[name]()


def test_every_class_of_error_has_its_code_documented() -> None:
    """The codes of the errors are the ones that the reference lists."""
    kinds = (errors.InputError, errors.PluginError, errors.VerificationError, errors.SolverError)
    assert {kind.exit_code for kind in kinds} <= {code for code, _, _ in EXIT_CODES}
