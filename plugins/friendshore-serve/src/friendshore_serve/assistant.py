"""Questions of an AI assistant: a server of the Model Context Protocol on stdin and stdout."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from importlib.resources import files
from typing import Any, BinaryIO, cast

import mcp_types as types
from anyio import AsyncFile, to_thread, wrap_file
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from pydantic import BaseModel, Field

from friendshore.cli.output import answer_stream, print_problems
from friendshore.errors import FriendshoreError
from friendshore.report import errors_data, problem_lines

from .service import Progress, Service
from .tools import Tool, refused

INSTRUCTIONS = (
    "friendshore finds the cheapest supplier mix that is legal on the day it arrives. Report its answers as they are. Call nothing lawful "
    "or compliant that an answer doesn't call so: `unproven` and `unknown` are not `pass`, and a missing caveat is no approval. "
    "State `status`, `planned_on`, and the caveats of `about` with every figure. None of this is legal advice."
)
_GLOSSARY, _CASE, _PACK = "friendshore://glossary", "friendshore://cases/", "friendshore://packs/"
_READ_ONLY = types.ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


class ToolAnswer(BaseModel):
    """Result of a tool."""

    answer: dict[str, Any] = Field(description="What the command prints with `--json`.")
    about: dict[str, Any] = Field(
        description="The plan behind the answer: hash of its run, status, objective, bound, verification, dates, and caveats."
    )


class Assistant:
    """A service in the terms of the protocol."""

    def __init__(self, service: Service) -> None:
        self._service = service
        handlers: dict[str, Any] = {"on_list_tools": self.tools, "on_call_tool": self.call}
        handlers |= {"on_list_resources": self.resources, "on_read_resource": self.read}
        self.server: Server[Any] = Server("friendshore", instructions=INSTRUCTIONS, **handlers)

    async def tools(self, context: Any, params: Any) -> types.ListToolsResult:
        tools, problems = self._service.toolbox.usable()
        print_problems(problems)
        return types.ListToolsResult(tools=[*map(_listed, tools)])

    async def call(self, context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        """Return an answer as data with its screen as text, or errors as both."""

        async def watch(progress: Progress) -> None:
            await context.session.report_progress(progress.done, progress.total, progress.activity)

        try:
            answer = await self._service.ask(params.name, params.arguments or {}, watch=watch)
        except FriendshoreError as error:
            return _result("\n".join(problem_lines(error.problems)), errors_data(error), is_error=True)
        data = json.loads(answer.json)
        whole = {"answer": data, "about": answer.about}
        return _result(answer.screen, data if answer.is_refused else whole, answer.is_refused)

    async def resources(self, context: Any, params: Any) -> types.ListResourcesResult:
        cases, packs = self._service.cases, sorted(self._service.toolbox.registry.packs)
        named = [(_GLOSSARY, "glossary", "text/markdown")]
        named += [(f"{_CASE}{name}", f"case {name}", "application/toml") for name in cases]
        named += [(f"{_PACK}{name}", f"law pack {name}", "application/json") for name in packs]
        found = [types.Resource(uri=uri, name=name, mime_type=media) for uri, name, media in named]
        return types.ListResourcesResult(resources=found)

    async def read(self, context: Any, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        """Return a resource. The text of an unknown or unreadable one is its error."""
        try:
            text = await self._text(params.uri)
        except FriendshoreError as error:
            text = "\n".join(problem_lines(error.problems))
        return types.ReadResourceResult(contents=[types.TextResourceContents(uri=params.uri, text=text)])

    async def _text(self, uri: str) -> str:
        if uri == _GLOSSARY:
            return (files(__package__) / "glossary.md").read_text(encoding="utf-8")
        if uri.startswith(_CASE) and (name := uri.removeprefix(_CASE)) in self._service.cases:
            return self._service.case_text(name)
        if uri.startswith(_PACK) and (name := uri.removeprefix(_PACK)) in self._service.toolbox.registry.packs:
            return (await self._service.ask("rule", {"name": name})).json
        raise refused("FS939", "no such resource", uri, "list the resources")


def _listed(tool: Tool) -> types.Tool:
    schema, answer = tool.arguments.model_json_schema(), ToolAnswer.model_json_schema()
    common: Any = {"input_schema": schema, "output_schema": answer, "annotations": _READ_ONLY}
    return types.Tool(name=tool.name, description=tool.meaning, **common)


def _result(text: str, data: Any, is_error: bool) -> types.CallToolResult:
    content = [types.TextContent(type="text", text=text.strip())]
    return types.CallToolResult(content=content, structured_content=data, is_error=is_error)


_REQUEST_ID = re.compile(rb'"id"\s*:\s*("[\w-]{1,100}"|\d{1,15})')


async def bounded_lines(
    stream: BinaryIO, max_bytes: int, refuse: Callable[[SessionMessage], Awaitable[None]]
) -> AsyncIterator[str]:
    """Yield the lines of a stream. One with more than `max_bytes` is skipped, and its request refused."""
    read = partial(to_thread.run_sync, stream.readline, max_bytes + 1, abandon_on_cancel=True)
    while line := await read():
        if len(line) <= max_bytes:
            yield line.decode("utf-8", "replace")
            continue
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = await read()
        request = _REQUEST_ID.search(line)
        name = None if request is None else json.loads(request[1])
        problem = types.ErrorData(code=-32600, message=f"FS927 the line has more than {max_bytes:,} bytes")
        await refuse(SessionMessage(types.JSONRPCError(jsonrpc="2.0", id=name, error=problem)))


async def serve_assistant(service: Service) -> None:
    """Answer on stdin and stdout until stdin ends."""

    async def refuse(message: SessionMessage) -> None:
        await write.send(message)

    server, lines = Assistant(service).server, bounded_lines(sys.stdin.buffer, service.limits.request_bytes, refuse)
    answers = wrap_file(io.TextIOWrapper(answer_stream().buffer, encoding="utf-8", write_through=True))
    try:
        async with stdio_server(cast("AsyncFile[str]", lines), answers) as (read, write):
            await server.run(read, write, server.create_initialization_options())
    finally:
        service.close()
