"""Questions of an application: REST, described in OpenAPI from the types of options."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import mimetypes
import secrets
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any, Literal

from pydantic import BaseModel, Field, PrivateAttr
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from friendshore.errors import FriendshoreError, InputError
from friendshore.report import errors_data

from .pool import Service
from .tools import CASE, Tool, parsed, refused
from .worker import Progress

_SECONDS_FOR_BODY = 30
_STATUS = {"FS939": 404, "FS929": 503, "FS989": 500}
JSON = "json"


class Job(BaseModel):
    """A question and its answer."""

    id: str = Field(default_factory=lambda: secrets.token_urlsafe(16))
    tool: str
    format: str = JSON
    state: Literal["running", "done", "refused", "failed", "canceled"] = "running"
    progress: dict[str, Any] = Field({}, description="Number `done` of a `total`, and the `activity`.")
    result: str = Field("", description="Hash of the result, for /results. Empty until there is one.")
    about: dict[str, Any] = Field({}, description="The plan behind the answer, with status, bound, dates, and caveats.")
    notes: tuple[str, ...] = ()
    screen: str = Field("", description="The answer as text of at most 40 lines.")
    errors: Any = Field([], description="Errors of a job that failed.")
    _task: asyncio.Task[None] = PrivateAttr()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.create_task(work)

    @property
    def task(self) -> asyncio.Task[None]:
        return self._task

    def watch(self, progress: Progress) -> None:
        self.progress = progress._asdict()

    async def stop(self) -> None:
        """Cancel it, unless it has ended."""
        if not self.task.done():
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task
            self.state = "canceled"


class Desk:
    """The jobs of a service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._jobs: dict[str, Job] = {}

    def app(self, host: str, token: str) -> Starlette:
        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            yield
            for job in [*self._jobs.values()]:
                await job.stop()
            self._service.pool.close()

        async def refuse(request: Request, error: Exception) -> Response:
            if not isinstance(error, FriendshoreError):
                found = f"{request.method} {request.url.path}"
                error = refused("FS939", "no such request", found, "see /openapi.json")
            return _refusal(errors_data(error)["errors"])

        routes = [
            Route("/openapi.json", self.describe),
            Route("/cases", self.cases),
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
        return JSONResponse(openapi(self._service, Job.model_json_schema()))

    async def cases(self, _: Request) -> Response:
        return JSONResponse({"cases": [*self._service.cases]})

    async def ask(self, request: Request) -> Response:
        """Answer a question. If the client leaves, the answer is canceled."""
        job = await self._start(request)
        left = asyncio.create_task(_until_left(request))
        try:
            await asyncio.wait({job.task, left}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            left.cancel()
            await job.stop()
        if not job.result:
            return _refusal(job.errors or errors_data(refused("FS929", "the answer was canceled"))["errors"])
        return self._result(job.result, 422 if job.state == "refused" else 200, job.id)

    async def start(self, request: Request) -> Response:
        return JSONResponse((await self._start(request)).model_dump(mode="json"), 202)

    async def job(self, request: Request) -> Response:
        job = self._jobs.get(name := request.path_params["id"])
        if job is None:
            raise refused("FS939", "no such job", name)
        if request.method == "DELETE":
            await job.stop()
        return JSONResponse(job.model_dump(mode="json"))

    async def result(self, request: Request) -> Response:
        return self._result(request.path_params["hash"])

    def _result(self, name: str, status: int = 200, job: str = "") -> Response:
        kept = self._service.results.get(name)
        if kept is None:
            raise refused("FS939", "no such result", name, "ask again")
        headers = {
            "Friendshore-Result": name,
            "X-Content-Type-Options": "nosniff",
            # A page must not ask with the rights of its reader.
            "Content-Security-Policy": "sandbox allow-scripts allow-downloads",
            **({"Friendshore-Job": job} if job else {}),
        }
        media = mimetypes.guess_type(f"answer.{kept[1]}")[0] or "application/octet-stream"
        return Response(kept[0], status, headers, media)

    async def _start(self, request: Request) -> Job:
        limits = self._service.limits
        arguments = parsed(await _body(request, limits.request_bytes), limits)
        job = Job(tool=request.path_params["tool"], format=request.query_params.get("format", JSON))
        if sum(not other.task.done() for other in self._jobs.values()) >= limits.workers + limits.queue:
            raise refused("FS929", "too many questions wait", fix="ask again later")
        finished = [other.id for other in self._jobs.values() if other.task.done()]
        for name in finished[: max(0, len(finished) - limits.jobs)]:
            del self._jobs[name]
        self._jobs[job.id] = job
        job.start(self._run(job, arguments))
        return job

    async def _run(self, job: Job, arguments: object) -> None:
        try:
            form = "" if job.format == JSON else job.format
            answer = await self._service.ask(job.tool, arguments, form, job.watch)
        except FriendshoreError as error:
            job.state, job.errors = "failed", errors_data(error)["errors"]
            return
        content, form = (answer.json.encode(), JSON) if answer.file is None else (answer.file, job.format)
        job.result = self._service.keep(content, form)
        job.about, job.notes, job.screen = dict(answer.about), answer.notes, answer.screen
        job.state = "refused" if answer.is_refused else "done"


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


async def _until_left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


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
_ANY: Table = {"type": "object", "additionalProperties": True}
_TEXTS = {name: {"type": "string"} for name in ("message", "code", "file", "column", "found", "expected", "fix")}
_ERROR = {"type": "object", "properties": _TEXTS | {"row": {"type": "integer"}}, "required": ["message"]}
_ERRORS = {"type": "object", "properties": {"errors": {"type": "array", "items": _ERROR}}, "required": ["errors"]}


def openapi(service: Service, job: Table) -> Table:
    """Return the description of a service, with two paths for each tool. `job` is the schema of a job."""
    tools, _ = service.toolbox.usable()
    schemas = {"errors": _ERRORS, "job": job, **{f"{tool.name}_arguments": _arguments(tool) for tool in tools}}
    names = {"type": "object", "properties": {"cases": {"type": "array", "items": {"type": "string"}}}}
    job_of_id = {"get": _operation("job", "Return a job.", _ref("job"), "id")}
    paths: Table = {
        "/cases": {"get": _operation("cases", "List the cases by name.", names)},
        "/results/{hash}": {"get": _operation("result", "Return a recent result.", _ANY, "hash")},
        "/jobs/{id}": job_of_id
        | {"delete": _operation("cancel", "Cancel a job, and end its process.", _ref("job"), "id")},
    }
    for tool in tools:
        summary = "Answer a question. The bytes are those of `--json`."
        paths[f"/ask/{tool.name}"] = {"post": _question(tool, service, _operation(f"ask_{tool.name}", summary, _ANY))}
        start = _operation(f"start_{tool.name}", "Start a question, and return its job.", _ref("job"), status="202")
        paths[f"/jobs/{tool.name}"] = {"post": _question(tool, service, start)}
    about = "Supplier mixes that are legal on the day they arrive. `unproven` is never `pass`. Not legal advice."
    return {
        "openapi": "3.1.0",
        "info": {"title": "friendshore", "version": version("friendshore"), "description": about},
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}, {}],
    }


def _operation(name: str, summary: str, schema: Table, key: str = "", status: str = "200") -> Table:
    answers = {status: ("The answer.", schema), "default": ("Errors, with their codes.", _ref("errors"))}
    key_parameter = {"name": key, "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [key_parameter] if key else [],
        "responses": {
            code: {"description": text, "content": _json(answer)} for code, (text, answer) in answers.items()
        },
    }


def _json(schema: Table) -> Table:
    return {"application/json": {"schema": schema}}


def _question(tool: Tool, service: Service, operation: Table) -> Table:
    forms = {"type": "string", "enum": ["json", *service.formats(tool.name)], "default": "json"}
    return operation | {
        "description": tool.meaning,
        "parameters": [{"name": "format", "in": "query", "description": "Format of the result.", "schema": forms}],
        "requestBody": {"required": True, "content": _json(_ref(f"{tool.name}_arguments"))},
    }


def _ref(name: str) -> Table:
    return {"$ref": f"#/components/schemas/{name}"}


def _arguments(tool: Tool) -> Table:
    """Return the schema of a tool's arguments, where a case may also be posted."""
    schema = tool.schema
    properties: Table = schema["properties"]
    if CASE in properties:
        posted = {
            **_ANY,
            "title": "Posted case",
            "description": "The tables of a case file. It may name what is installed.",
        }
        properties[CASE] = {"anyOf": [properties[CASE], posted]}
    return schema
