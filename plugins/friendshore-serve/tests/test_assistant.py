"""The server for assistants, asked with the protocol's own client, and with lines that no client would send."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mcp import Client

from friendshore.run import json_text
from friendshore_serve.assistant import Assistant, ToolAnswer, bounded_lines
from friendshore_serve.service import Service, named_cases
from friendshore_serve.tools import ServerLimits


def asked(first: Path, ask: Callable[[Client], Awaitable[Any]]) -> Any:
    """Return what a client receives from a server in this process."""

    async def run() -> Any:
        service = Service(named_cases([first]), ServerLimits(workers=1), may_post=False)
        try:
            async with Client(Assistant(service).server) as client:
                return await ask(client)
        finally:
            service.close()

    return asyncio.run(run())


def test_tools_have_valid_schemas_and_are_read_only(first: Path) -> None:
    tools = asked(first, lambda client: client.list_tools()).tools
    assert {"check", "plan", "what_if", "rules", "catalogs", "alternatives"} <= {tool.name for tool in tools}
    Draft202012Validator.check_schema(ToolAnswer.model_json_schema())
    for tool in tools:
        Draft202012Validator.check_schema(tool.input_schema)
        assert tool.annotations.read_only_hint
        assert not tool.annotations.destructive_hint


def test_the_server_tells_assistants_not_to_call_anything_lawful(first: Path) -> None:
    async def instructions(client: Client) -> str:
        return str(client.instructions)

    assert "Call nothing lawful" in asked(first, instructions)


def test_resources_are_the_glossary_the_case_and_the_packs(first: Path) -> None:
    async def texts(client: Client) -> dict[str, str]:
        names = [str(resource.uri) for resource in (await client.list_resources()).resources]
        assert "friendshore://packs/sanctions" in names
        asked = [*names[:2], "friendshore://cases/../first", "friendshore://cases/first/catalog", "file:///etc/passwd"]
        return {name: (await client.read_resource(name)).contents[0].text for name in asked}

    glossary, case, *refused = asked(first, texts).values()
    assert glossary.startswith("# Glossary")
    assert case == (first / "case.toml").read_text()
    assert all(text.startswith("FS939") for text in refused)


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("nothing", {}, "FS939"),
        ("plan", {"case": "/etc"}, "FS927"),
        ("plan", {"out": "/tmp/x"}, "FS927"),
        ("plan", {"case": {"name": "posted"}}, "FS927"),  # an assistant writes no case
        ("catalog", {"name": "/etc/passwd"}, "FS927"),
    ],
)
def test_an_invalid_call_is_an_error_with_a_code(first: Path, tool: str, arguments: Any, code: str) -> None:
    result = asked(first, lambda client: client.call_tool(tool, arguments))
    assert result.is_error
    assert result.structured_content["errors"][0]["code"] == code
    assert code in result.content[0].text


@pytest.mark.deep(whole=True)
def test_an_answer_is_what_json_prints_with_its_plan_and_screen(first: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from friendshore.cli import app

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790726400")
    result = asked(first, lambda client: client.call_tool("what_if", {"change": ["remove=country:CA"]}))
    printed = CliRunner().invoke(app, ["what-if", str(first), "--change", "remove=country:CA", "--json"]).stdout
    assert json_text(result.structured_content["answer"]) == printed
    about = result.structured_content["about"]
    assert (about["status"], about["verified"], about["planned_on"]) == ("optimal", True, "2026-09-30")
    assert len(about["run"]) == 64
    assert result.content[0].text.startswith("Change of")


def test_a_long_line_is_read_to_its_end_and_refused_with_its_id() -> None:
    text = io.BytesIO(b'{"id": 7, "x": "' + b"x" * 1_000 + b'"}\n{"id": 8}\n')
    sent: list[Any] = []

    async def refuse(message: Any) -> None:
        sent.append(message.message)

    async def read() -> list[str]:
        return [line async for line in bounded_lines(text, 100, refuse)]

    assert asyncio.run(read()) == ['{"id": 8}\n']
    assert [(message.id, message.error.code) for message in sent] == [(7, -32600)]


@pytest.mark.deep(whole=True)
def test_broken_lines_do_not_end_the_server(first: Path) -> None:
    command = [sys.executable, "-m", "friendshore", "mcp", str(first)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    calls: list[Any] = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        b"{",
        b"\xff\xfe",
        b'{"jsonrpc":"2.0","id":5,"method":"tools/call","params":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
        b"[" * 100_000,
        b'{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"plan","arguments":{"x":"' + b"x" * 5_000_000,
        {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "catalogs", "arguments": {}}},
    ]
    assert process.stdin is not None
    assert process.stdout is not None
    for call in calls:
        process.stdin.write((call if isinstance(call, bytes) else json.dumps(call).encode()) + b"\n")
        process.stdin.flush()
    answers = {}
    while 7 not in answers:
        answer = json.loads(process.stdout.readline())
        answers[answer["id"]] = answer
    process.stdin.close()
    assert process.wait(30) == 0
    process.stdout.close()
    assert answers[7]["result"]["structuredContent"]["answer"]
    assert "FS927" in answers[6]["error"]["message"]
