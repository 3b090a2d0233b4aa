"""Tools: what their schemas offer, and which arguments they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from friendshore.errors import InputError
from friendshore.plugins import Registry
from friendshore_serve.tools import COMMANDS, ServerLimits, Toolbox, parsed


@pytest.fixture(scope="module")
def toolbox() -> Toolbox:
    return Toolbox(Registry.discover(), ("first", "second"))


def test_every_question_and_five_kinds_of_commands_are_tools_with_valid_schemas(toolbox: Toolbox) -> None:
    tools, problems = toolbox.usable()
    assert not problems
    questions = {name.replace("-", "_") for name in Registry.discover().names("question")}
    assert {tool.name for tool in tools} == {*COMMANDS, *questions}
    assert {"what_if", "alternatives", "sweep", "why_not"} <= questions
    for tool in tools:
        Draft202012Validator.check_schema(tool.arguments.model_json_schema())
        assert tool.arguments.model_json_schema()["additionalProperties"] is False
        assert tool.meaning


def test_no_option_that_names_a_file_an_address_or_code_is_offered(toolbox: Toolbox) -> None:
    offered = {tool.name: set(tool.arguments.model_json_schema()["properties"]) for tool in toolbox.usable()[0]}
    assert offered["sweep"] == {"case", "vary", "each", "top", "scenario", "change", "strict", "gap"}
    assert offered["plan"] == {"case", "scenario", "change", "strict", "strict_limits", "period", "gap"}
    assert offered["catalog"] == offered["rule"] == {"name"}
    files = {"out", "html", "folder", "scenarios", "dask", "executor", "check", "block", "budget", "bom", "bid_sheets"}
    assert not files & set().union(*offered.values())


REFUSED: list[tuple[str, Any, str]] = [
    ("plan", {"case": "../../etc"}, "case"),
    ("plan", {"case": "third"}, "case"),
    ("plan", {}, "case"),
    ("plan", {"case": "first", "out": "/tmp/run"}, "out"),
    ("plan", {"case": "first", "gap": float("nan")}, "gap"),
    ("plan", {"case": "first", "gap": "1"}, "gap"),
    ("plan", {"case": "first", "strict": 1}, "strict"),
    ("plan", {"case": "first", "period": "day"}, "period"),
    ("plan", {"case": "first", "change": "remove=country:CN"}, "change"),
    ("plan", {"case": "first", "change": ["x" * 10_001]}, "change.0"),
    ("plan", {"case": "first", "change": ["x"] * 1_001}, "change"),
    ("plan", {"case": "first", "change": ["\ud800"]}, "change.0"),
    ("compare", {"case": "first", "other": "/etc"}, "other"),
    ("alternatives", {"case": "first", "within": 10**400}, "within"),
    ("alternatives", {"case": "first", "top": -1}, "top"),
    ("catalog", {"name": "first"}, "name"),
    ("rule", {"name": "../packs"}, "name"),
    ("rule", {"name": ".hidden"}, "name"),
    ("sweep", {"case": "first", "executor": "os:system"}, "executor"),
    ("sweep", {"case": "first", "--out": "x"}, "--out"),
    ("plan", [1], ""),
]


@pytest.mark.parametrize(("tool", "arguments", "column"), REFUSED)
def test_an_invalid_argument_is_refused_by_name(toolbox: Toolbox, tool: str, arguments: Any, column: str) -> None:
    with pytest.raises(InputError) as refused:
        toolbox[tool].checked(arguments)
    assert [(problem.code, problem.column) for problem in refused.value.problems] == [("FS927", column)]


def test_all_errors_of_arguments_are_reported_together(toolbox: Toolbox) -> None:
    with pytest.raises(InputError) as refused:
        toolbox["plan"].checked({"case": 1, "gap": -1, "nonsense": 2})
    assert {problem.column for problem in refused.value.problems} == {"case", "gap", "nonsense"}


def test_the_only_case_need_not_be_named() -> None:
    alone = Toolbox(Registry.discover(), ("first",))
    assert alone["plan"].checked({}) == {"case": "first"}
    assert "case" not in alone["plan"].arguments.model_json_schema().get("required", [])
    assert alone["rules"].checked({}) == {}  # of all packs


def test_an_unknown_tool_is_refused(toolbox: Toolbox) -> None:
    with pytest.raises(InputError) as refused:
        toolbox["__init__"]
    assert [problem.code for problem in refused.value.problems] == ["FS939"]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b'{"a": NaN}',
        b'{"a": "\\ud800"}',
        b"\xff\xfe",
        b"[" * 500 + b"]" * 500,
        b"[" + b"1," * 60_000 + b"1]",
        b'"' + b"x" * 5_000_000 + b'"',
    ],
    ids=lambda text: f"{len(text)} bytes",
)
def test_text_that_is_not_json_or_too_large_is_refused(text: bytes) -> None:
    with pytest.raises(InputError) as refused:
        parsed(text, ServerLimits())
    assert [problem.code for problem in refused.value.problems] == ["FS927"]
