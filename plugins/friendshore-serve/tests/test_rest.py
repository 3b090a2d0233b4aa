"""The REST server: who may ask, what is refused, jobs, results, and processes that end."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openapi_spec_validator import validate
from typer.testing import CliRunner

from friendshore.cli import app
from friendshore_serve.rest import Desk, is_loopback
from friendshore_serve.service import Service, named_cases
from friendshore_serve.tools import ServerLimits

TOKEN = "0123456789abcdef"
SECONDS = 60


def response(
    method: str,
    path: str,
    host: str = "127.0.0.1",
    token: str = "",
    cases: dict[str, Path] | None = None,
    **request: Any,
) -> httpx2.Response:
    """The response of a server in this process, which starts no worker."""

    async def asked() -> httpx2.Response:
        service = Service(cases or {}, ServerLimits())
        try:
            transport = httpx2.ASGITransport(Desk(service).app(host, token))
            async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as client:
                return await client.request(method, path, **request)
        finally:
            service.close()

    return asyncio.run(asked())


def code(answer: httpx2.Response) -> str:
    return str(answer.json()["errors"][0]["code"])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 404),
        ({"Host": "localhost:8765"}, 404),
        ({"Host": "example.com"}, 403),
        ({"Host": "127.0.0.1.example.com"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "http://127.0.0.1:8765"}, 404),
        ({"Origin": "http://127.0.0.1:1234"}, 403),
        ({"Origin": "https://example.com"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_another_host_or_site_cannot_ask_on_loopback(headers: dict[str, str], status: int) -> None:
    answer = response("GET", "/jobs/nothing", headers=headers)
    assert (answer.status_code, code(answer)) == (status, "FS986" if status == 403 else "FS939")


@pytest.mark.parametrize(
    ("authorization", "status"), [(f"Bearer {TOKEN}", 404), (f"Bearer {TOKEN}x", 401), (TOKEN, 401), ("", 401)]
)
def test_a_token_is_needed_where_there_is_one(authorization: str, status: int) -> None:
    answer = response("GET", "/jobs/nothing", "0.0.0.0", TOKEN, headers={"Authorization": authorization})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("method", "path", "request_", "status", "expected"),
    [
        ("GET", "/nothing", {}, 404, "FS939"),
        ("GET", "/ask/plan", {}, 404, "FS939"),
        ("POST", "/ask/plan/", {"json": {}}, 404, "FS939"),
        ("GET", "/jobs/nothing", {}, 404, "FS939"),
        ("GET", "/results/../../etc/passwd", {}, 404, "FS939"),
        ("GET", "/results/%2e%2e%2fetc%2fpasswd", {}, 404, "FS939"),
        ("POST", "/ask/nothing", {"json": {}}, 404, "FS939"),
        ("POST", "/ask/plan?format=md", {"json": {"case": {}}}, 404, "FS939"),
        ("POST", "/ask/rules?format=html", {"json": {}}, 404, "FS939"),
        ("POST", "/ask/plan", {"content": b"{}"}, 400, "FS927"),
        ("POST", "/ask/plan", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, "FS927"),
        ("POST", "/ask/plan", {"json": {"case": "x" * 5_000_000}}, 400, "FS927"),
        ("POST", "/ask/plan", {"json": {"case": "nothing"}}, 400, "FS927"),
        ("POST", "/ask/plan", {"json": {"case": {"use": {"catalogs": ["/etc"]}}}}, 400, "FS928"),
        ("POST", "/ask/plan", {"json": {"case": {"stock": None}}}, 400, "FS927"),
        ("POST", "/ask/rules", {"json": {"name": "x"}}, 400, "FS927"),
    ],
)
def test_a_wrong_request_is_refused_with_a_code(
    method: str, path: str, request_: dict[str, Any], status: int, expected: str
) -> None:
    answer = response(method, path, **request_)
    assert (answer.status_code, code(answer)) == (status, expected)


def test_the_description_is_valid_openapi_with_a_path_for_each_tool(first: Path) -> None:
    cases = named_cases([first])
    document = response("GET", "/openapi.json", cases=cases).json()
    validate(document)
    tools = Service(cases, ServerLimits()).toolbox.names
    assert {f"/ask/{name}" for name in tools} | {f"/jobs/{name}" for name in tools} <= document["paths"].keys()
    options = document["components"]["schemas"]["plan_arguments"]["properties"]["case"]["anyOf"]
    assert [option["type"] for option in options] == ["string", "object"]


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (("--host", "0.0.0.0"), "--host"),
        (("--host", "203.0.113.1"), "--host"),
        (("nothing",), "nothing"),
    ],
)
def test_an_unsafe_or_impossible_start_is_refused(
    arguments: tuple[str, ...], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FRIENDSHORE_TOKEN", raising=False)
    result = CliRunner().invoke(app, ["serve", *arguments])
    assert result.exit_code == 2
    assert where in result.stderr
    assert "FS987" in result.stderr or "FS200" in result.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("token", ["short", "0123456789abcde\u00e9", "0123456789\nabcdef"])
def test_a_token_that_is_easy_to_guess_or_to_misread_is_refused(token: str, host: str) -> None:
    result = CliRunner().invoke(app, ["serve", "--host", host], env={"FRIENDSHORE_TOKEN": token})
    assert result.exit_code == 2
    assert "FS987" in result.stderr


def test_only_addresses_of_this_machine_are_loopback() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.1.2.3", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "example.com", "localhost.example.com")))


def test_two_cases_of_one_name_are_refused(first: Path, tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "case.toml").write_text("")
    result = CliRunner().invoke(app, ["serve", str(first), str(tmp_path / "first")])
    assert result.exit_code == 2
    assert "FS987" in result.stderr


class Server:
    """A server in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "friendshore", "serve", *arguments, "--port", "0"]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": "1790726400"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self.process.stdout is not None
        self.client = httpx2.Client(base_url=self.process.stdout.readline().split()[-1], timeout=SECONDS)

    def end(self) -> None:
        self.client.close()
        self.process.terminate()
        self.process.wait(SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def workers(self) -> set[int]:
        """All processes below it, but the one that tracks shared resources."""
        found: set[int] = set()
        for process in children(self.process.pid):
            if b"resource_tracker" not in contents(Path(f"/proc/{process}/cmdline")):
                found |= {process, *children(process)}
        return found


def children(process: int) -> set[int]:
    return set(map(int, contents(Path(f"/proc/{process}/task/{process}/children")).split()))


def contents(file: Path) -> bytes:
    """The content of a file of the system. Nothing if the process has ended."""
    try:
        return file.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


@pytest.fixture(scope="module")
def server(first: Path) -> Iterator[Server]:
    running = Server(str(first), "--workers", "1", "--seconds", "20")
    yield running
    running.end()


@pytest.mark.deep(whole=True)
def test_answers_results_jobs_and_pages(server: Server, first: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790726400")
    body = {"case": "first", "change": ["remove=country:CA"]}
    answer = server.client.post("/ask/what_if", json=body)
    command = CliRunner().invoke(app, ["what-if", str(first), "--change", "remove=country:CA", "--json"])
    assert answer.content == command.stdout.encode()
    result = answer.headers["Friendshore-Result"]
    assert server.client.get(f"/results/{result}").content == answer.content
    job = server.client.get(f"/jobs/{answer.headers['Friendshore-Job']}").json()
    assert (job["state"], job["result"], job["about"]["verified"]) == ("done", result, True)
    started = server.client.post("/jobs/what_if", json=body)
    assert started.status_code == 202
    page = server.client.post("/ask/plan?format=html", json={})
    assert page.headers["Content-Type"].startswith("text/html")
    assert "sandbox" in page.headers["Content-Security-Policy"]
    again = server.client.get(f"/jobs/{started.json()['id']}").json()
    assert (again["state"], again["result"]) == ("done", result)
    refused = server.client.post("/ask/why_not", json={"offer": "nothing"})
    assert (refused.status_code, code(refused)) == (422, "FS522")


@pytest.mark.deep(whole=True)
def test_a_posted_case_is_planned_as_the_library_plans_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    import friendshore

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790726400")
    case = {
        "case": {
            "name": "posted",
            "start": "2026-10-01",
            "periods": 4,
            "period": "quarter",
            "currency": "USD",
            "place": "US",
        },
        "use": {"catalogs": ["usgs-2026", "world"], "packs": ["us-10usc4872"]},
        "accept": {"confidence": "assumed"},
        "assume": {"lead_time": "1 quarter"},
        "demand": [{"id": "d", "material": "gallium-metal-4n", "end_use": "defense", "per_year": "1 t"}],
    }
    answer = server.client.post("/ask/plan", json={"case": case})
    assert answer.status_code == 200, answer.text
    plan = friendshore.plan(friendshore.load_case(json.dumps(case)))
    given = {name: value for name, value in answer.json().items() if name != "headline"}
    assert given == json.loads(json.dumps(plan.to_dict(), default=float))


@pytest.mark.deep(whole=True)
@pytest.mark.skipif(not Path("/proc").exists(), reason="reads /proc")
def test_a_canceled_job_and_one_that_takes_too_long_leave_no_process(first: Path) -> None:
    case = Path(__file__).parents[3] / "docs" / "cases" / "us-2027"
    server = Server(str(case), "--workers", "1", "--seconds", "3")
    try:
        job = server.client.post("/jobs/interactive", json={}).json()["id"]
        while not (before := server.workers()):
            pass
        assert server.client.delete(f"/jobs/{job}").json()["state"] == "canceled"
        assert not server.workers() & before
        late = server.client.post("/ask/interactive", json={})
        assert (late.status_code, code(late)) == (503, "FS929")
        assert not server.workers()
        with pytest.raises(httpx2.ReadTimeout):
            server.client.post("/ask/interactive", json={}, timeout=1)
        while server.workers():  # until the server has noticed that the client left
            pass
        assert server.client.post("/ask/catalogs", json={}).status_code == 200
    finally:
        server.end()
    assert not children(server.process.pid)


@pytest.mark.deep(whole=True)
@pytest.mark.skipif(not Path("/proc").exists(), reason="reads /proc")
def test_a_server_that_is_killed_takes_its_processes_with_it(first: Path) -> None:
    server = Server(str(first), "--workers", "1")
    assert server.client.post("/ask/catalogs", json={}).status_code == 200
    workers = server.workers()
    assert workers
    server.process.kill()
    server.end()
    while any(contents(Path(f"/proc/{process}/cmdline")) for process in workers):
        pass
