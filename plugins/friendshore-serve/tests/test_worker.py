"""Answers of a worker, in this process: the bytes of `--json`, whatever was asked before."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
from typer.testing import CliRunner

from friendshore.cli import app
from friendshore.cli.host import Host
from friendshore.document.excerpts import LINES
from friendshore.plugins import Registry
from friendshore_serve.service import Request, ServedAnswer, Worker
from friendshore_serve.tools import ServerLimits, Toolbox

LISTS = {
    "rules": ("rules", "list"),
    "rule": ("rules", "show"),
    "catalogs": ("catalogs", "list"),
    "catalog": ("catalogs", "show"),
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "rule": {"name": "sanctions"},
    "catalog": {"name": "materials"},
    "why_not": {"offer": "quebec-gallium"},
    "what_if": {"change": ["remove=country:CA"]},
    "compare": {"change": ["price=quebec-gallium, factor=2"]},
    "sweep": {"vary": ["price=quebec-gallium, factor=1,2"]},
    "withstand": {"losses": 1},
    "frontier": {"points": 3},
    "dossier": {"form": "analysis"},
    "plan": {"scenario": ["no-canada"]},
}
QUICK = ("check", "plan", "rule", "catalog", "catalogs", "why_not", "what_if", "alternatives", "compare")


@pytest.fixture(autouse=True)
def day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790726400")


@pytest.fixture(scope="module")
def worker() -> Worker:
    return Worker(ServerLimits(), (), lambda progress: None)


def printed(tool: str, arguments: dict[str, Any], case: Path | None) -> str:
    """Return what the command line prints with `--json`."""
    words = [*LISTS.get(tool, (tool.replace("_", "-"),)), *([] if case is None else [str(case)])]
    for name, value in arguments.items():
        if name in ("name", "offer"):
            words.append(value)
        else:
            words += [f"--{name}={each}" for each in (value if isinstance(value, list) else [value])]
    return CliRunner().invoke(app, [*words, "--json"]).stdout


def answered(worker: Worker, tool: str, case: Path | None = None, **arguments: Any) -> ServedAnswer:
    return worker.answer(
        Request(tool, arguments if case is None else {"case": case, **arguments}, "json", Path(gettempdir()))
    )


def check_equal(worker: Worker, tool: str, first: Path) -> None:
    arguments = ARGUMENTS.get(tool, {})
    case = None if tool in LISTS else first
    answer = answered(worker, tool, case, **arguments)
    assert answer.json == printed(tool, arguments, case)
    assert len(answer.screen.splitlines()) <= LINES
    assert answer.screen
    assert answered(worker, tool, case, **arguments).json == answer.json


@pytest.mark.parametrize("tool", QUICK)
def test_an_answer_has_the_bytes_that_the_command_line_prints(worker: Worker, first: Path, tool: str) -> None:
    check_equal(worker, tool, first)


@pytest.mark.deep
@pytest.mark.parametrize("tool", sorted({*Toolbox(Registry.discover(), ()).names} - {*QUICK}))
def test_so_have_the_others(worker: Worker, first: Path, tool: str) -> None:
    check_equal(worker, tool, first)


def test_what_is_known_about_the_plan_is_what_the_plan_says(worker: Worker, first: Path) -> None:
    answer = answered(worker, "what_if", first, change=["remove=country:CA"])
    run = json.loads(printed("plan", {}, first))
    assert answer.about["status"] == run["status"]
    assert answer.about["bound"] == run["bound"]
    assert answer.about["verified"] is True
    assert answer.about["planned_on"] == "2026-09-30"
    assert answer.about["unproven"] == len(run["unproven"])
    assert [caveat["code"] for caveat in answer.about["caveats"]] == [
        c["code"] for c in answer.about["caveats"] if c["text"]
    ]


def test_what_is_unproven_stays_unproven(worker: Worker, first: Path) -> None:
    """No argument makes a server say that an offer is lawful: the verdicts are those of the plan."""
    run = json.loads(answered(worker, "plan", first).json)
    assert run["unproven"] == json.loads(printed("plan", {}, first))["unproven"]


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("why_not", {"offer": "nonexistent"}, "FS522"),
        ("what_if", {"change": ["remove=country:XX"]}, ""),
        ("what_if", {"change": []}, "FS501"),
        ("what_if", {"change": ["nonsense"]}, "FS011"),
        ("plan", {"scenario": ["nonexistent"]}, ""),
        ("compare", {"scenario": ["a", "b", "c"]}, ""),
    ],
)
def test_a_refused_question_has_errors_with_codes(
    worker: Worker, first: Path, tool: str, arguments: Any, code: str
) -> None:
    answer = answered(worker, tool, first, **arguments)
    assert answer.is_refused
    (error, *_) = json.loads(answer.json)["errors"]
    assert error["code"].startswith(code or "FS")
    assert error["code"] in answer.screen


def test_check_lists_errors_of_a_case_as_its_answer(worker: Worker, first: Path, tmp_path: Path) -> None:
    shutil.copytree(first, tmp_path / "broken")
    file = tmp_path / "broken" / "case.toml"
    file.write_text(file.read_text().replace("schema = 1", "schema = 1\nnonsense = 2", 1))
    answer = answered(worker, "check", tmp_path / "broken")
    assert not answer.is_refused
    assert json.loads(answer.json)["ok"] is False
    assert answered(worker, "plan", tmp_path / "broken").is_refused


def test_a_changed_case_is_planned_again(worker: Worker, first: Path, tmp_path: Path) -> None:
    shutil.copytree(first, tmp_path / "case")
    before = answered(worker, "plan", tmp_path / "case").json
    file = tmp_path / "case" / "case.toml"
    file.write_text(file.read_text().replace("[case]", '[case]\ntitle = "Another title"', 1))
    after = answered(worker, "plan", tmp_path / "case").json
    assert "Another title" not in before
    assert json.loads(after)["title"] == "Another title"


def test_a_case_that_leaves_its_folder_is_not_read(worker: Worker, first: Path, tmp_path: Path) -> None:
    shutil.copytree(first, tmp_path / "case")
    (tmp_path / "secret.csv").write_text("id,material\nVERY-SECRET,VERY-SECRET\n")
    file = tmp_path / "case" / "case.toml"
    file.write_text(file.read_text().replace("[use]", '[use]\ndemand = "../secret.csv"', 1))
    for tool in ("plan", "check", "what_if"):
        answer = answered(worker, tool, tmp_path / "case", **({"change": ["disable=x"]} if tool == "what_if" else {}))
        assert {error["code"] for error in json.loads(answer.json)["errors"]} == {"FS928"}
        assert "VERY-SECRET" not in answer.json + answer.screen


@pytest.mark.parametrize("tool", ["plan", "what_if"])
def test_an_answer_is_available_as_a_page(worker: Worker, first: Path, tmp_path: Path, tool: str) -> None:
    answer = worker.answer(Request(tool, {"case": first, **ARGUMENTS.get(tool, {})}, "html", tmp_path))
    assert answer.content.startswith(b"<!doctype html>")


def test_two_given_cases_are_compared(worker: Worker, first: Path, tmp_path: Path) -> None:
    shutil.copytree(first, tmp_path / "other")
    answer = answered(worker, "compare", first, other=tmp_path / "other")
    command = CliRunner().invoke(app, ["compare", str(first), str(tmp_path / "other"), "--json"])
    assert answer.json == command.stdout


def test_a_question_does_not_change_the_answer_to_the_next(first: Path) -> None:
    """Whatever was asked before, in whatever order, the counts of what was solved are the same."""
    questions = (
        ("what_if", {"change": ["remove=country:CA"]}),
        ("alternatives", {}),
        ("why_not", {"offer": "quebec-gallium"}),
    )
    answers = []
    for order in (questions, questions[::-1]):
        fresh = Worker(ServerLimits(), (), lambda progress: None)
        answers.append({tool: answered(fresh, tool, first, **arguments).json for tool, arguments in order})
    assert answers[0] == answers[1]


def test_no_more_plans_are_kept_than_the_limit(first: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[object] = []
    make = Host.plan
    monkeypatch.setattr(
        Host, "plan", lambda self, case, **options: planned.append(options["changes"]) or make(self, case, **options)
    )
    small = Worker(ServerLimits(plans=1), (), lambda progress: None)
    for change in ([], ["remove=country:CA"], []):
        answered(small, "plan", first, change=change)
        answered(small, "plan", first, change=change)
    assert len(planned) == 3


def test_a_plan_and_a_question_share_a_kept_plan(first: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[object] = []
    make = Host.plan

    def counted(self: Host, case: Any, **options: Any) -> Any:
        planned.append(options)
        return make(self, case, **options)

    monkeypatch.setattr(Host, "plan", counted)
    fresh = Worker(ServerLimits(), (), lambda progress: None)
    for tool in ("plan", "alternatives", "plan"):
        answered(fresh, tool, first, change=["remove=country:CA"], strict=False)
    assert len(planned) == 1


def test_a_change_in_the_folder_of_another_case_that_it_names_is_noticed(first: Path, tmp_path: Path) -> None:
    for name in ("case", "shared"):
        shutil.copytree(first, tmp_path / name)
    file, shared = tmp_path / "case" / "case.toml", (tmp_path / "shared").resolve()
    file.write_text(file.read_text().replace("./catalog", "../shared/catalog"))
    fresh = Worker(ServerLimits(), (shared,), lambda progress: None)
    before = answered(fresh, "plan", tmp_path / "case")
    assert not before.is_refused
    offers = shared / "catalog" / "offers.csv"
    offers.write_text(offers.read_text().replace("quebec-gallium", "quebec-gallium-2"))
    for table in (shared / "catalog").glob("*.csv"):
        table.write_text(table.read_text().replace("quebec-gallium,", "quebec-gallium-2,"))
    assert "quebec-gallium-2" in answered(fresh, "plan", tmp_path / "case").json


def test_case_files_of_any_ending_are_confined(worker: Worker, first: Path, tmp_path: Path) -> None:
    shutil.copytree(first, tmp_path / "case")
    file = tmp_path / "case" / "case.toml"
    book = tmp_path / "case" / "book.xlsx"
    assert CliRunner().invoke(app, ["case", "to-xlsx", str(first), "--out", str(book)]).exit_code == 0
    assert not answered(worker, "plan", book).is_refused
    file.write_text(file.read_text().replace("./catalog", "../elsewhere"))
    (tmp_path / "case" / "case.cfg").write_text(file.read_text())
    file.unlink()
    answer = answered(worker, "plan", tmp_path / "case" / "case.cfg")
    assert {error["code"] for error in json.loads(answer.json)["errors"]} == {"FS928"}
