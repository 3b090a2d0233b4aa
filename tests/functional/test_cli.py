"""The command line as a planner and a script meet it: answers, errors, exit codes, and nothing else on stdout."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from tests.reference.pages import makers

from friendshore.cli.options import CONFLICT, EXIT_CODES

from .program import call

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
HEAVY = (
    "highspy",
    "ortools",
    "pandas",
    "scipy",
    "numpy",
    "pydantic",
    "rich",
    "pluggy",
    "pycountry",
    "friendshore.plugins",
)
SOLVING = (
    "highspy",
    "ortools",
    "scipy",
    "numpy",
    "openpyxl",
    "friendshore.solve",
    "friendshore.verify",
    "friendshore.explain",
)
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
    *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs the command line as a program of its own, its output piped."""
    return call(list(arguments), {**os.environ, "COLUMNS": "100", **(env or {})}, cwd)


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one JSON object that stdout holds."""
    data = json.loads(done.stdout)
    assert isinstance(data, dict)
    return data


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `init` writes."""
    folder = tmp_path_factory.mktemp("first") / "case"
    done = friendshore("init", "--start", "2026-10-01", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def planned(case: Path) -> tuple[subprocess.CompletedProcess[str], Path]:
    """The first case, planned as text and written to a run folder."""
    return friendshore("plan", str(case), "--out", str(case.parent / "run")), case.parent / "run"


def test_help_loads_nothing_that_is_slow() -> None:
    """`--help` is quick and works whatever is installed: no solver, no data frames, no models, no plugin."""
    code = (
        "import sys\n"
        "from friendshore.cli import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300)
    assert done.stderr.strip() == "[]", done.stderr
    for command in ("plan", "check", "verify", "init", "catalogs", "rules", "plugins"):
        assert re.search(rf"^  {command}\b", done.stdout, re.MULTILINE)
    assert "Exit codes" in done.stdout


def test_init_plan_verify(planned: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """What `init` writes is planned, and what is planned is verified from its folder alone."""
    done, run = planned
    assert done.returncode == 0, done.stderr
    assert "optimal, confirmed by a second solver · verified" in done.stdout
    assert "Quebec gallium plant" in done.stdout
    checked = friendshore("verify", str(run))
    assert checked.returncode == 0, checked.stdout
    told = checked.stdout.splitlines()
    assert "verified" in told[0]
    assert [line.split(":")[0] for line in told if line.startswith(("Optimality", "Signature"))] == [
        "Optimality",
        "Signature",
    ]


@pytest.mark.deep
def test_a_command_loads_what_it_needs(planned: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """Lists and pages come without solver and arrays, a plan without tables and linear algebra; nothing reads its own source."""
    run = str(planned[1])
    case = str(planned[1].parent / "case")
    # In one process, one after the other: what is not loaded after several was loaded by none of them.
    unneeded = {
        ("--version",): HEAVY,
        ("plugins", "list"): SOLVING,
        ("report", "--no-verify", run): SOLVING,
        **{(question, "--help"): ("numpy", "ortools", "friendshore.session") for question in ("risk", "interactive")},
        ("rules", "list"): ("ortools", "scipy", "openpyxl"),
        ("catalogs", "list"): ("ortools", "scipy", "openpyxl"),
        ("plan", case): SPARE,
        ("verify", run): SPARE,
    }
    code = (
        "import linecache, sys\nfrom friendshore.cli import app\n"
        f"for command, modules in {list(unneeded.items())!r}:\n"
        "    try:\n        app(list(command))\n    except SystemExit as end:\n        assert not end.code\n"
        "    print([m for m in modules if m in sys.modules], sorted(linecache.cache), file=sys.stderr, flush=True)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300)
    told = done.stderr.splitlines()
    for number, command in enumerate(unneeded):
        assert told[number : number + 1] == ["[] []"], (command, done.stderr)


def test_a_run_is_told_on_one_page(planned: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """`report` reads the folder alone; what is no run is refused."""
    run = planned[1]
    done = friendshore("report", str(run), "--format", "md")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# ")
    assert answer(friendshore("report", str(run), "--json"))["text"] == done.stdout
    refused = friendshore("report", str(run.parent))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "run.json" in refused.stderr


@pytest.mark.deep
def test_a_run_is_written_as_one_file_with_what_was_asked_of_it(
    planned: tuple[subprocess.CompletedProcess[str], Path], tmp_path: Path
) -> None:
    """`report --format html --with … --out FILE` is made of the run alone: the same bytes each time, what is there left as it is."""
    run, asked = str(planned[1]), "why-not=quebec-gallium, calendar"
    first, second = tmp_path / "first.html", tmp_path / "second.html"
    for path, form in ((first, ("--format", "html")), (second, ())):  # the name of the file says the form too
        done = friendshore("report", run, *form, "--with", asked, "--out", str(path))
        assert (done.returncode, done.stdout, done.stderr) == (0, f"wrote {path}\n", "")
    page = first.read_bytes()
    assert page == second.read_bytes()
    assert friendshore("report", run, "--format", "html", "--with", asked).stdout.encode() == page
    text = page.decode()
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert text.index("How sure this is") < text.index("Why not quebec-gallium") < text.index("What is available when")
    unnamed = friendshore("report", run, "--out", str(tmp_path / "first.txt"))
    assert (unnamed.returncode, ".md, .html, .xlsx" in unnamed.stderr) == (2, True)
    again = friendshore("report", run, "--out", str(first), "--json")
    assert (again.returncode, answer(again)["errors"][0]["file"]) == (2, str(first))
    assert first.read_bytes() == page


@pytest.mark.parametrize(
    ("asked", "said"),
    [("why-not", "why-not=OFFER"), ("compare", "by itself"), ("ledger=x", "by itself"), ("no-such", "no-such")],
)
def test_a_question_that_cannot_be_asked_of_a_run_alone_is_refused(
    asked: str, said: str, planned: tuple[subprocess.CompletedProcess[str], Path]
) -> None:
    """Before anything is planned, and with what to do instead."""
    done = friendshore("report", str(planned[1]), "--with", asked)
    assert done.returncode in (2, 3)
    assert done.stdout == ""
    assert said in done.stderr


def test_nothing_is_asked_of_a_run_that_does_not_hold(
    planned: tuple[subprocess.CompletedProcess[str], Path], tmp_path: Path
) -> None:
    """Only what failed verification is told of it, in either form."""
    run = shutil.copytree(planned[1], tmp_path / "run")
    text = (run / "run.json").read_text(encoding="utf-8")
    (run / "run.json").write_text(
        re.sub(r'"quantity_kg": (\d)', r'"quantity_kg": 9\1', text, count=1), encoding="utf-8"
    )
    for form in ("md", "html"):
        done = friendshore("report", str(run), "--format", form, "--with", "calendar")
        assert done.returncode == 4
        assert "does not hold" in done.stdout
        assert "What is available when" not in done.stdout
        assert "supplies" not in done.stdout


def test_the_first_case_has_no_mistakes(case: Path) -> None:
    """`check` of what `init` writes ends in 0."""
    done = friendshore("check", str(case), "--json")
    assert done.returncode == 0
    assert answer(done)["errors"] == []


@pytest.mark.parametrize(
    ("day", "start"), [("2026-11-29", "2027-01-01"), ("2027-12-31", "2028-01-01"), ("2028-02-29", "2028-04-01")]
)
def test_a_first_case_starts_with_the_next_quarter_and_no_order_is_late(tmp_path: Path, day: str, start: str) -> None:
    """Whenever it is written, it is planned from then on: `init` writes the start, and the plan reads no clock."""
    seconds = int(datetime.combine(date.fromisoformat(day), time(), UTC).timestamp())
    assert friendshore("init", str(tmp_path / "case"), env={"SOURCE_DATE_EPOCH": str(seconds)}).returncode == 0
    plan = answer(friendshore("plan", str(tmp_path / "case"), "--json"))
    assert [plan["periods"][0]["start"], plan["verified"], plan["shortage_kg"]] == [start, True, {}]
    assert {purchase["late_days"] for purchase in plan["purchases"]} == {0}
    assert min(purchase["order_by"] for purchase in plan["purchases"]) >= start


@pytest.mark.parametrize("start", ["2027-01-15", "soon", "9999-12-01"])
def test_a_first_case_starts_with_a_month(tmp_path: Path, start: str) -> None:
    """Nothing is written for any other start."""
    done = friendshore("init", str(tmp_path / "case"), "--start", start)
    assert (done.returncode, (tmp_path / "case").exists()) == (2, False)
    assert "the first day of a month" in done.stderr


def test_init_overwrites_nothing(case: Path) -> None:
    """A second `init` is refused, every file that is there named, and none changed."""
    before = (case / "case.toml").read_bytes()
    done = friendshore("init", "--start", "2026-10-01", str(case))
    assert done.returncode == 2
    assert "case.toml" in done.stderr
    assert "offers.csv" in done.stderr
    assert (case / "case.toml").read_bytes() == before


def test_piped_text_has_no_codes_and_no_blanks_at_the_ends(
    planned: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    """What goes to a file or a pager is plain text, as wide as COLUMNS says, and stderr is silent."""
    done, _ = planned
    assert "\x1b" not in done.stdout
    assert done.stderr == ""
    assert all(line == line.rstrip() and len(line) <= 100 for line in done.stdout.splitlines())


def test_json_is_the_run_and_nothing_else(case: Path, planned: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """`plan --json` prints one object: the same bytes as `run.json`."""
    done = friendshore("plan", str(case), "--json")
    assert done.returncode == 0
    assert done.stderr == ""
    data = answer(done)
    wanted = {
        "status",
        "verified",
        "gap",
        "cost",
        "shortage_kg",
        "purchases",
        "rules",
        "exposed",
        "assumptions",
        "unproven",
    }
    assert wanted | {"versions"} <= set(data)
    assert done.stdout == (planned[1] / "run.json").read_text()


def test_a_plan_writes_nothing_unasked(case: Path) -> None:
    """Without `--out` a plan leaves no file behind."""
    before = sorted(case.rglob("*"))
    friendshore("plan", ".", cwd=case)
    assert sorted(case.rglob("*")) == before


def test_out_refuses_what_is_no_run_before_any_work(case: Path) -> None:
    """`--out` into the case's own folder is refused, and the case is still there."""
    done = friendshore("plan", str(case), "--out", str(case))
    assert done.returncode == 2
    assert "left as it is" in done.stderr
    assert done.stdout == ""
    assert (case / "case.toml").is_file()


def test_a_scenario_is_applied_and_an_unknown_one_suggested(case: Path) -> None:
    """A scenario's name stands in the run; a misspelt one is a mistake with a suggestion."""
    told = answer(friendshore("plan", str(case), "--scenario", "no-canada", "--json"))
    assert told["scenario"] == ["no-canada"]
    assert not [p for p in told["purchases"] if p["country"] == "CA" and p["ordered"] >= "2027-Q3"]
    done = friendshore("plan", str(case), "--scenario", "no-canda")
    assert done.returncode == 2
    assert "no-canada" in done.stderr


def test_a_kind_of_rule_shows_its_keys_and_those_of_tables_within() -> None:
    """What may be written in a rule is found without a clone of the repository."""
    told = answer(friendshore("rules", "show", "origin-ban", "--json"))
    keys = {path: [key["key"] for key in table["keys"]] for table in told["tables"] for path in table["within"]}
    assert {"stages", "exceptions", "recycled", "waivers"} <= set(keys[""])
    assert {"needs", "within", "lifts", "when"} <= set(keys["recycled"])
    assert {"when", "unless"} <= set(keys["exceptions"])
    assert {"fact", "equals", "at_least"} <= set(keys["exceptions.unless"])
    assert {"id", "longest"} <= set(keys["waivers"])
    assert all(key["meaning"] for table in told["tables"] for key in table["keys"] if key["key"] != "kind")
    text = friendshore("rules", "show", "origin-ban").stdout
    assert all(part in text for part in ("In each of recycled", "needs", "unless", "forbids"))
    assert "did you mean `origin-ban`" in friendshore("rules", "show", "orign-ban").stderr


def test_quiet_prints_the_heading_alone(case: Path) -> None:
    """`--quiet` is four lines."""
    assert len(friendshore("plan", str(case), "--quiet").stdout.splitlines()) == 4


def test_a_plan_is_one_screen_and_all_tables_are_asked_for(
    planned: tuple[subprocess.CompletedProcess[str], Path], case: Path
) -> None:
    """Without a terminal too; `--full` prints what a screen leaves out, and JSON is whole either way."""
    done, run = planned
    assert len(done.stdout.splitlines()) <= 40
    assert f"`friendshore report {run}`: a page" in " ".join(done.stdout.split())
    full = friendshore("plan", str(case), "--full").stdout
    assert all(f"\n{title}\n" in full for title in ("Demand", "Mix, by time of delivery", "Assumptions", "Made with"))
    assert not any(
        f"\n{title}\n" in done.stdout for title in ("Demand", "Mix, by time of delivery", "Assumptions", "Made with")
    )
    assert friendshore("plan", str(case), "--json").stdout == friendshore("plan", str(case), "--json", "--full").stdout


def test_conflicting_rules_are_a_result_with_a_code_of_its_own(case: Path, tmp_path: Path) -> None:
    """Hard rules that cannot hold together have an exit code of their own, which no failure has: the plan is printed, and the rules are named."""
    text = (case / "case.toml").read_text() + INFEASIBLE
    path = case / "conflict.toml"
    path.write_text(text)
    try:
        done = friendshore("plan", str(path), "--json")
    finally:
        path.unlink()
    assert done.returncode == CONFLICT, done.stdout + done.stderr
    told = answer(done)
    assert told["status"] == "infeasible"
    assert {"take-some", "for-nothing"} == {rule for conflict in told["conflicts"] for rule in conflict["rules"]}


@pytest.mark.parametrize(
    "arguments",
    [("plan", "nowhere.toml"), ("check", "nowhere.toml"), ("verify", "nowhere"), ("catalogs", "show", "nowhere"),
     ("rules", "show", "nowhere"), ("rules", "list", "nowhere.toml"), ("catalogs", "check", "./nowhere")],
)  # fmt: skip
def test_bad_input_is_told_without_a_traceback(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """What is not there is said in words on stderr, and as one object on stdout with `--json`."""
    done = friendshore(*arguments, cwd=tmp_path)
    assert done.returncode in (2, 3)
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()
    assert done.stdout == "" or arguments[0] == "check"
    told = friendshore(*arguments, "--json", cwd=tmp_path)
    assert told.returncode == done.returncode
    assert answer(told)["errors"]
    assert told.stderr == ""


def test_all_mistakes_of_case_and_catalog_are_told_at_once(case: Path, tmp_path: Path) -> None:
    """A bad line in the case does not hide a bad row of a catalog."""
    copy = tmp_path / "case"
    for path in case.rglob("*.*"):
        target = copy / path.relative_to(case)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    (copy / "case.toml").write_text(
        (copy / "case.toml").read_text().replace('period = "quarter"', 'period = "fortnight"')
    )
    (copy / "catalog" / "offers.csv").write_text(
        (copy / "catalog" / "offers.csv").read_text().replace("700 USD/kg", "700 USD/pood")
    )
    done = friendshore("check", str(copy), "--json")
    assert done.returncode == 2
    places = {(Path(e["file"]).name, e.get("column")) for e in answer(done)["errors"]}
    assert {("case.toml", "case.period"), ("offers.csv", "price")} <= places
    text = friendshore("check", str(copy))
    assert "2 mistakes" in text.stdout
    assert "problems" not in text.stderr  # their count is told once


def test_a_check_takes_one_screen_and_tells_all_if_asked(case: Path) -> None:
    """Of 45 demands that want nothing as many are told as forty lines hold, and how many there are besides; the answer stands first."""
    path = case / "many.toml"
    later = '[[demand]]\nid = "later-{0}"\nmaterial = "gallium-4n"\nend_use = "civil"\nper_year = "1 t"\nfrom = 2040-01-01\nwhy = "invented"\n'
    path.write_text((case / "case.toml").read_text() + "".join(map(later.format, range(45))))
    short, full = friendshore("check", str(path)).stdout, friendshore("check", str(path), "--full").stdout
    assert short.startswith("no mistakes")
    assert 35 <= len(short.splitlines()) <= 40
    told = short.count("later-")
    assert full.count("later-") == 45
    assert short.splitlines()[-1] == f"{full.count('·') - short.count('·')} more (--full)"
    assert told < 45


def test_check_suggests_a_sharper_boundary(case: Path) -> None:
    """A date within a period is pointed out with the period and what the date is of."""
    path = case / "years.toml"
    path.write_text((case / "case.toml").read_text().replace('period = "quarter"', 'period = "year"'))
    try:
        told = answer(friendshore("check", str(path), "--json"))
    finally:
        path.unlink()
    assert any("2027-01-01" in s["message"] and "defense-origin" in s["message"] for s in told["suggestions"])


@pytest.mark.parametrize(
    ("arguments", "key"),
    [(("catalogs", "list"), "catalogs"), (("rules", "list"), "rules"), (("plugins", "list"), "plugins")],
)
def test_lists_have_a_json_twin(arguments: tuple[str, ...], key: str) -> None:
    """Every list is a table and, with `--json`, the same rows as an object."""
    rows = answer(friendshore(*arguments, "--json"))[key]
    text = friendshore(*arguments).stdout
    assert text.strip()
    assert "\x1b" not in text
    assert key != "plugins" or any(row["distribution"] == "friendshore" for row in rows)


@pytest.mark.parametrize("bill", ["us-p-1803", "us-p-hr9073"])
def test_a_pending_bill_is_shown_as_pending(bill: str) -> None:
    """A bill that no house has passed is no law."""
    assert re.search(r"^status +pending$", friendshore("rules", "show", bill).stdout, re.MULTILINE)
    assert answer(friendshore("rules", "show", bill, "--json"))["status"] == "pending"


def test_rules_of_a_case_are_listed(case: Path) -> None:
    """`rules list CASE` holds the rules that stand in the case itself."""
    rows = answer(friendshore("rules", "list", str(case), "--json"))["rules"]
    assert {"defense-origin", "not-all-from-one"} == {row["id"] for row in rows}


def test_a_catalog_beside_the_case_is_shown_and_checked(case: Path) -> None:
    """A folder stands for a catalog, with or without a `./`."""
    told = answer(friendshore("catalogs", "show", "catalog", "--json", cwd=case))
    assert {offer["id"] for offer in told["offers"]} == {"quebec-gallium", "guangxi-gallium", "kwinana-gallium"}
    assert "quebec-gallium" in friendshore("catalogs", "show", "./catalog", cwd=case).stdout
    assert friendshore("catalogs", "check", "catalog", cwd=case).returncode == 0


def test_the_encoding_of_the_terminal_stops_nothing(case: Path) -> None:
    """On a terminal that knows only ASCII the report is still printed, and JSON is still JSON."""
    env = {"PYTHONIOENCODING": "ascii"}
    told = friendshore("plan", str(case), env=env)
    assert told.returncode == 0
    assert "* Rests on" in told.stdout
    assert "\\x" not in told.stdout
    assert "\\u" not in told.stdout
    assert answer(friendshore("plan", str(case), "--json", env=env))["status"] == "optimal"


def test_a_command_by_the_name_that_others_give_it_is_told() -> None:
    """Who types `new` is told of `init`, which no spelling would lead to."""
    done = friendshore("new")
    assert done.returncode == 2
    assert "Did you mean 'init'?" in done.stderr


def test_the_version_is_told() -> None:
    """`--version` says which friendshore this is."""
    assert friendshore("--version").stdout.startswith("friendshore ")


PAGES = makers()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_reference_is_current(name: str) -> None:
    """The pages are what `python -m tests.reference.pages docs/reference` writes."""
    assert (REFERENCE / name).read_text(encoding="utf-8") == PAGES[name]()


def test_every_class_of_error_has_its_code_documented() -> None:
    """The codes of the errors are the ones that the reference lists."""
    from friendshore import errors

    documented = {code for code, _, _ in EXIT_CODES}
    for error in (errors.InputError, errors.PluginError, errors.VerificationError, errors.SolverError):
        assert error.exit_code in documented
