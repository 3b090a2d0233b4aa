"""Questions of an application: REST, described in OpenAPI from the types of options."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any, Literal

from pydantic import BaseModel, Field, RootModel
from pydantic.json_schema import models_json_schema
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from friendshore.domain.runtime import SizeLimitedCache
from friendshore.errors import Diagnostic, FriendshoreError, InputError
from friendshore.report import errors_data

from .service import Progress, ServedAnswer, Service
from .tools import JSON, parsed, refused

_SECONDS_FOR_BODY = 30
_SECONDS_UNTIL_LEFT = 0.5
"""Time until an answer is canceled whose client has left."""
_STATUS = {"FS939": 404, "FS929": 503, "FS989": 500}


class Errors(BaseModel):
    """Errors, with their codes."""

    errors: list[Diagnostic]


class Job(BaseModel):
    """A question and its answer."""

    id: str = Field(default_factory=lambda: secrets.token_urlsafe(16))
    tool: str
    format: str = JSON
    state: Literal["running", "done", "refused", "failed", "canceled"] = "running"
    progress: dict[str, Any] = Field({}, description="Number `done` of a `total`, and the `activity`.")
    result: str = Field("", description="Hash of the result, for /results. Empty until there is one.")
    about: dict[str, Any] = Field({}, description="The plan behind the answer, with status, bound, dates, and caveats.")
    screen: str = Field("", description="The answer as text of at most 50 lines.")
    errors: Any = Field([], description="Errors of a job that failed.")

    async def watch(self, progress: Progress) -> None:
        self.progress = progress._asdict()


class Desk:
    """Jobs and results of a service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._jobs: dict[str, tuple[Job, asyncio.Task[None]]] = {}
        self._results = SizeLimitedCache[str, ServedAnswer](service.limits.result_bytes)

    def app(self, host: str, token: str) -> Starlette:
        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            yield
            for name in [*self._jobs]:
                await self._stop(name)
            self._service.close()

        async def refuse(request: Request, error: Exception) -> Response:
            if not isinstance(error, FriendshoreError):
                found = f"{request.method} {request.url.path}"
                error = refused("FS939", "no such request", found, "see /openapi.json")
            return _refusal(errors_data(error)["errors"])

        routes = [
            Route("/openapi.json", self.describe),
            Route("/ask/{tool}", self.ask, methods=["POST"]),
            Route("/jobs/{tool}", self.start, methods=["POST"]),
            Route("/jobs/{id}", self.job, methods=["GET", "DELETE"]),
            Route("/results/{hash}", self.result),
        ]
        guard = [Middleware(Guard, host=host, token=token)]
        handlers: Any = {FriendshoreError: refuse, HTTPException: refuse}
        app = Starlette(routes=routes, middleware=guard, lifespan=lifespan, exception_handlers=handlers)
        app.router.redirect_slashes = False
        return app

    async def describe(self, _: Request) -> Response:
        return JSONResponse(openapi(self._service))

    async def ask(self, request: Request) -> Response:
        """Answer a question. If the client leaves, the answer is canceled."""
        job, task = await self._start(request)
        while not task.done() and not await request.is_disconnected():
            await asyncio.wait([task], timeout=_SECONDS_UNTIL_LEFT)
        await self._stop(job.id)
        if not job.result:
            return _refusal(job.errors or errors_data(refused("FS929", "the answer was canceled"))["errors"])
        return self._result(job.result, 422 if job.state == "refused" else 200, {"Friendshore-Job": job.id})

    async def start(self, request: Request) -> Response:
        job, _ = await self._start(request)
        return JSONResponse(job.model_dump(mode="json"), 202)

    async def job(self, request: Request) -> Response:
        if (name := request.path_params["id"]) not in self._jobs:
            raise refused("FS939", "no such job", name)
        if request.method == "DELETE":
            await self._stop(name)
        return JSONResponse(self._jobs[name][0].model_dump(mode="json"))

    async def result(self, request: Request) -> Response:
        return self._result(request.path_params["hash"])

    def _result(self, name: str, status: int = 200, more: dict[str, str] | None = None) -> Response:
        kept = self._results.get(name)
        if kept is None:
            raise refused("FS939", "no such result", name, "ask again")
        # A page must not ask with the rights of its reader.
        headers = {
            "Content-Security-Policy": "sandbox allow-scripts allow-downloads",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(kept.content, status, headers | {"Friendshore-Result": name} | (more or {}), kept.media)

    async def _start(self, request: Request) -> tuple[Job, asyncio.Task[None]]:
        limits = self._service.limits
        arguments = parsed(await _body(request, limits.request_bytes), limits)
        job = Job(tool=request.path_params["tool"], format=request.query_params.get("format", JSON))
        for name in [name for name, (_, task) in self._jobs.items() if task.done()][: -limits.jobs]:
            del self._jobs[name]
        self._jobs[job.id] = job, asyncio.create_task(self._run(job, arguments))
        return self._jobs[job.id]

    async def _run(self, job: Job, arguments: object) -> None:
        try:
            answer = await self._service.ask(job.tool, arguments, job.format, job.watch)
        except FriendshoreError as error:
            job.state, job.errors = "failed", errors_data(error)["errors"]
            return
        job.result = hashlib.sha256(answer.content).hexdigest()
        self._results.keep(job.result, answer, len(answer.content))
        job.about, job.screen = dict(answer.about), answer.screen
        job.state = "refused" if answer.is_refused else "done"

    async def _stop(self, name: str) -> None:
        """Cancel a job, unless it has ended."""
        job, task = self._jobs[name]
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
            job.state = "canceled"


def _refusal(errors: Any) -> Response:
    status = next((_STATUS[error["code"]] for error in errors if error.get("code") in _STATUS), 400)
    return JSONResponse({"errors": errors}, status)


async def _body(request: Request, max_bytes: int) -> bytes:
    """Return the body of a request, or of one that is too large its beginning. Raise `InputError` if it isn't JSON, or slow."""
    media = request.headers.get("content-type", "").partition(";")[0].strip()
    if media != "application/json":
        raise refused("FS927", "the request isn't JSON", media, "send Content-Type: application/json")
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS_FOR_BODY):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    break
    except TimeoutError:
        raise refused("FS929", "the request took too long to arrive", fix="send it again") from None
    return bytes(body)


class Guard:
    """Who may ask: with a token anyone who has it, without one only this machine, and no page of another site."""

    def __init__(self, app: ASGIApp, host: str, token: str) -> None:
        self._app, self._token = app, f"Bearer {token}" if token else ""
        self._names = {"localhost", host} if is_loopback(host) else set[str]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = self._error(Request(scope)) if scope["type"] == "http" else None
        if error is None:
            await self._app(scope, receive, send)
        else:
            status = 401 if error.problems[0].column == "Authorization" else 403
            await JSONResponse(errors_data(error), status)(scope, receive, send)

    def _error(self, request: Request) -> InputError | None:
        host, origin = (request.headers.get(name, "") for name in ("host", "origin"))
        name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        if self._names and name not in self._names:
            return refused("FS986", "another name of this machine", host, "use the server's address", column="Host")
        if origin and origin.partition("://")[2] != host:
            return refused("FS986", "a page of another site can't ask", origin, column="Origin")
        given = request.headers.get("authorization", "")
        if self._token and not hmac.compare_digest(given.encode(), self._token.encode()):
            fix = "send `Authorization: Bearer TOKEN`"
            return refused("FS986", "no token, or a wrong one", fix=fix, column="Authorization")
        return None


def is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


# --------------------------------------------------------------------------------------------------------- OpenAPI

Table = dict[str, Any]


class AnswerBody(RootModel[Table]):
    """Output of the command with `--json`, or its page."""


def openapi(service: Service) -> Table:
    """Return the description of a service, with two paths for each tool."""
    tools, _ = service.toolbox.usable()
    models: Any = [(model, "serialization") for model in (AnswerBody, Errors, Job)]
    models += [(tool.arguments, "validation") for tool in tools]
    _, schemas = models_json_schema(models, ref_template="#/components/schemas/{model}")
    key: Table = {"in": "path", "required": True, "schema": {"type": "string"}}
    of_job: Table = {"parameters": [key | {"name": "id"}]}
    paths: Table = {
        "/results/{hash}": {
            "parameters": [key | {"name": "hash"}],
            **_operation("get", "result", "A recent result.", AnswerBody),
        },
        "/jobs/{id}": of_job
        | _operation("get", "job", "State and progress of a job.", Job)
        | _operation("delete", "cancel", "Cancel a job, and end its process.", Job),
    }
    for tool in tools:
        forms = {"type": "string", "enum": tool.formats, "default": JSON}
        question: Table = {
            "description": tool.meaning,
            "parameters": [{"name": "format", "in": "query", "description": "Format of the result.", "schema": forms}],
            "requestBody": {"required": True, "content": _json(tool.arguments)},
        }
        ask, start = "Answer a question. The bytes are those of `--json`.", "Start a question, and return its job."
        paths[f"/ask/{tool.name}"] = _operation("post", f"ask_{tool.name}", ask, AnswerBody, **question)
        paths[f"/jobs/{tool.name}"] = _operation("post", f"start_{tool.name}", start, Job, "202", **question)
    about = "Supplier mixes that are legal on the day they arrive. `unproven` is never `pass`. Not legal advice."
    token = {"type": "http", "scheme": "bearer"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "friendshore", "version": version("friendshore"), "description": about},
        "paths": paths,
        "components": {"schemas": schemas["$defs"], "securitySchemes": {"token": token}},
        "security": [{"token": []}, {}],
    }


def _operation(
    method: str, name: str, summary: str, answer: type[BaseModel], status: str = "200", **more: Any
) -> Table:
    models: dict[str, type[BaseModel]] = {status: answer, "default": Errors}
    responses = {code: {"description": model.__doc__, "content": _json(model)} for code, model in models.items()}
    return {method: {"operationId": name, "summary": summary, "responses": responses, **more}}


def _json(model: type[BaseModel]) -> Table:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
