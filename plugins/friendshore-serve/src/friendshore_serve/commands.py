"""`friendshore mcp` and `friendshore serve`."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from friendshore.cli.output import bare

from .service import Service, named_cases
from .tools import ServerLimits, refused

_DEFAULT = ServerLimits()
VARIABLE = "FRIENDSHORE_TOKEN"
_MIN_TOKEN = 16

Case = Argument(metavar="CASE", help="Cases: files, or their folders. Each has the name of its folder.")
Seconds = Annotated[float, Option(metavar="SECONDS", help="Time for an answer.", min=1, max=86_400)]
Memory = Annotated[
    int, Option(metavar="MB", help="Address space of each process that answers.", min=1_024, max=1_048_576)
]
Host = Annotated[
    str, Option(metavar="ADDRESS", help=f"Address to listen on. Any but loopback needs a token in {VARIABLE}.")
]
Port = Annotated[int, Option(metavar="PORT", help="Port to listen on. 0 takes a free one.", min=0, max=65_535)]
Workers = Annotated[
    int, Option(metavar="N", help="Processes that answer, each one question at a time.", min=1, max=256)
]


def mcp(
    cases: Annotated[list[Path], Case], seconds: Seconds = _DEFAULT.seconds, memory: Memory = _DEFAULT.megabytes
) -> int:
    """Answer an AI assistant's questions about cases on stdin and stdout (Model Context Protocol).

    Reads only the folders of the cases and what is installed, and writes nothing.
    """
    from .assistant import serve_assistant

    async def run() -> None:
        await serve_assistant(Service(named_cases(cases), ServerLimits(1, seconds, memory), may_post=False))

    with suppress(KeyboardInterrupt):
        asyncio.run(run())
    return 0


def serve(
    cases: Annotated[list[Path] | None, Case] = None,
    host: Host = "127.0.0.1",
    port: Port = 8765,
    workers: Workers = _DEFAULT.workers,
    seconds: Seconds = _DEFAULT.seconds,
    memory: Memory = _DEFAULT.megabytes,
) -> int:
    """Answer an application's questions about cases (REST), until Ctrl-C. Cases can be posted too.

    `/openapi.json` describes the requests. Answers have the bytes of `--json`.
    """
    import uvicorn

    from .rest import Desk, is_loopback

    token = os.environ.get(VARIABLE, "")
    if (token or not is_loopback(host)) and not (len(token) >= _MIN_TOKEN and token.isascii() and token.isprintable()):
        fix = f"set {VARIABLE} to {_MIN_TOKEN} or more ASCII characters"
        raise refused("FS987", "no token, or one that can't be used", host, fix, column="--host")
    named, listening = named_cases(cases or []), _listen(host, port)

    async def run() -> None:
        app = Desk(Service(named, ServerLimits(workers, seconds, memory))).app(host, token)
        config = uvicorn.Config(
            app, log_level="warning", server_header=False, timeout_graceful_shutdown=1, limit_concurrency=256
        )
        bare(f"listening on http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}")
        await uvicorn.Server(config).serve([listening])

    with listening, suppress(KeyboardInterrupt):
        asyncio.run(run())
    return 0


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        reason, fix = f"{host}:{port}: {error.strerror or error}", "choose another --port or --host"
        raise refused("FS987", "the server can't listen", reason, fix, column="--port") from error
