"""Servers under load and under attack.

    uv run python -m tests.bench.serve load --count 10000 --clients 8
    uv run python -m tests.bench.serve hostile --count 500
    uv run python -m tests.bench.serve tools

`load` asks a REST server about three cases and prints errors, times, and memory. `hostile` sends an assistant's server invalid calls, and
checks that each is refused and that no file changes. `tools` calls every tool and compares each answer with `--json`.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from friendshore.cli.cases import write_starter
from friendshore.run import json_text

ROOT = Path(__file__).parents[2]
US = ROOT / "docs" / "cases" / "us-2027"
COMMAND = (sys.executable, "-m", "friendshore")
ENVIRONMENT = {**os.environ, "SOURCE_DATE_EPOCH": "1790726400"}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "rule": {"name": "sanctions"},
    "catalog": {"name": "world"},
    "why_not": {"offer": "kz-antimony-concentrate"},
    "what_if": {"change": ["remove=country:CN"]},
    "compare": {"change": ["remove=country:CN"]},
    "sweep": {"vary": ["price=outside:CN, factor=1,2"]},
    "withstand": {"losses": 1, "most": 5},
    "frontier": {"points": 3},
    "dossier": {"form": "analysis"},
}
LISTS = {"rules": "rules list", "rule": "rules show", "catalogs": "catalogs list", "catalog": "catalogs show"}


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def resident_megabytes(processes: set[int]) -> float:
    pages = (int(Path(f"/proc/{process}/statm").read_text().split()[1]) for process in processes)
    return sum(pages) * os.sysconf("SC_PAGESIZE") / 2**20


def descendants(process: int) -> set[int]:
    """Return a process and all that it started."""
    file = Path(f"/proc/{process}/task/{process}/children")
    if not file.exists():
        return set()
    return {process}.union(*(descendants(int(child)) for child in file.read_text().split()))


def requests_of(client: int, count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield questions about three cases: mostly what-ifs, and plans, checks, and lists."""
    chance = random.Random(client)
    for _ in range(count):
        case, offer = chance.choice(
            (("us-2027", "onsan-antimony-metal"), ("first", "quebec-gallium"), ("stock", "cn-antimony"))
        )
        change = (
            f"price=outside:CN, factor={chance.randint(11, 99) / 10}"
            if case != "us-2027"
            else f"price={offer}, factor={chance.randint(11, 99) / 10}"
        )
        tool = chance.choices(("what_if", "plan", "check", "catalogs"), (80, 10, 5, 5))[0]
        yield tool, {"what_if": {"case": case, "change": [change]}, "catalogs": {}}.get(tool, {"case": case})


async def load(count: int, clients: int) -> None:
    import httpx2

    with tempfile.TemporaryDirectory() as folder:
        write_starter(Path(folder) / "first")
        cases = (US, Path(folder) / "first", ROOT / "docs" / "cases" / "small" / "stock")
        server = subprocess.Popen(
            [*COMMAND, "serve", *map(str, cases), "--port", "0"], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
        )
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        seconds, statuses = list[float](), Counter[int]()

        async def ask(client: int, number: int) -> None:
            async with httpx2.AsyncClient(base_url=address, timeout=300) as http:
                for tool, body in requests_of(client, number):
                    began = time.perf_counter()
                    answer = await http.post(f"/ask/{tool}", json=body)
                    seconds.append(time.perf_counter() - began)
                    statuses[answer.status_code] += 1

        try:
            await asyncio.gather(*(ask(-1 - client, 12) for client in range(clients)))  # so that all plans are made
            seconds.clear()
            statuses.clear()
            before, began = resident_megabytes(descendants(server.pid)), time.perf_counter()
            await asyncio.gather(*(ask(client, count // clients) for client in range(clients)))
            total, after = time.perf_counter() - began, resident_megabytes(descendants(server.pid))
            processes = descendants(server.pid)
        finally:
            server.terminate()
            server.wait()
    seconds.sort()
    p50, p99 = (1_000 * seconds[int(len(seconds) * share)] for share in (0.5, 0.99))
    time.sleep(1)  # a process that tracks shared resources ends after the server
    files = [Path(f"/proc/{process}/cmdline") for process in processes]
    left = [
        file.read_bytes() for file in files if file.exists() and file.read_bytes()
    ]  # without the dead whose parent has not reaped them
    say(f"{len(seconds):,} requests of {clients} clients in {total:.0f} s, by status: {dict(statuses)}")
    say(
        f"p50 {p50:.0f} ms, p99 {p99:.0f} ms; memory {before:.0f} MB before, {after:.0f} MB after; processes left: {left}"
    )


def hostile_calls(count: int, outside: Path) -> Iterator[tuple[str, Any]]:
    """Yield invalid calls of tools: paths, huge or malformed arguments, injected names and options, and cases that name files."""
    chance = random.Random(36)
    paths = (
        str(outside),
        "../outside",
        "../../../../etc/passwd",
        "/etc/passwd",
        "file:///etc/passwd",
        "~/x",
        "C:\\x",
        "\\\\host\\share",
        ".",
    )
    tools = ("check", "plan", "what_if", "rules", "alternatives", "why_not", "compare", "sweep", "repairs", "stress")
    files = (
        "out",
        "html",
        "folder",
        "scenarios",
        "sign",
        "block",
        "executor",
        "dask",
        "check",
        "bom",
        "budget",
        "--out",
        "as_json",
        "__class__",
    )
    huge: tuple[Any, ...] = ("x" * 20_000, ["x"] * 5_000, {"a": 1}, [[["x"]]], 10**300, True, None, "\0", [None], [1])
    for number in range(count):
        tool, path = chance.choice(tools), chance.choice(paths)
        match number % 8:
            case 0:
                yield tool, {"case": path}
            case 1:
                yield tool, {chance.choice(files): path}
            case 2:
                yield (
                    "alternatives",
                    {chance.choice(("within", "top", "gap", "strict", "material")): chance.choice(huge[:5] + huge[6:])},
                )
            case 3:
                yield chance.choice(("catalog", "rule")), {"name": path}
            case 4:
                yield (
                    chance.choice(
                        (path, f"{tool}; rm -rf /", "", "__init__", "lock", "init", "sign", "serve", f"{tool}\n")
                    ),
                    {},
                )
            case 5:
                yield tool, {"case": {"use": {chance.choice(("catalogs", "packs")): [f"{path}/x"]}}}
            case 6:
                yield "plan", {"case": {"use": {"demand": path}, "plugin": {"friendshore-screening": {"list": path}}}}
            case _:
                yield (
                    "what_if",
                    {
                        "change": [
                            chance.choice(
                                (f"--out={path}", f"remove={path}; rm -rf /", "price=", "=", "\0", "change=" * 999)
                            )
                        ]
                    },
                )


def snapshot(folder: Path) -> str:
    state = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        state.update(f"{path}\0{path.stat().st_mtime_ns}\0".encode() + (path.read_bytes() if path.is_file() else b""))
    return state.hexdigest()


async def hostile(count: int) -> None:
    from mcp import Client, StdioServerParameters

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_starter(folder / "first")
        (folder / "outside").mkdir()
        (folder / "outside" / "secret.csv").write_text("TOP-SECRET,TOP-SECRET\n")
        before = snapshot(folder)
        server = StdioServerParameters(
            command=COMMAND[0], args=[*COMMAND[1:], "mcp", str(folder / "first")], env=ENVIRONMENT
        )
        codes, answered, leaked = Counter[str](), list[str](), 0
        async with Client(server) as client:
            for tool, arguments in hostile_calls(count, folder / "outside"):
                result = await client.call_tool(tool, arguments)
                text = json.dumps(result.structured_content) + str(result.content)
                leaked += "TOP-SECRET" in text or "root:" in text
                if result.is_error:
                    codes[result.structured_content["errors"][0].get("code", "none")] += 1
                else:
                    answered.append(f"{tool} {json.dumps(arguments)[:100]}")
            alive = not (await client.call_tool("catalogs", {})).is_error
        say(f"{count} hostile calls: {sum(codes.values())} refused, by code {dict(codes.most_common())}")
        say(
            f"{len(answered)} answered {answered[:5]}; {leaked} leaked; files unchanged: {snapshot(folder) == before}; still answers: {alive}"
        )


async def tools() -> None:
    from mcp import Client, StdioServerParameters

    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(US, Path(folder) / "us-2027")
        case = str(Path(folder) / "us-2027")
        server = StdioServerParameters(command=COMMAND[0], args=[*COMMAND[1:], "mcp", case], env=ENVIRONMENT)
        equal = 0
        async with Client(server, read_timeout_seconds=600) as client:
            listed = [tool.name for tool in (await client.list_tools()).tools]
            for tool in listed:
                arguments = ARGUMENTS.get(tool, {})
                began = time.perf_counter()
                result = await client.call_tool(tool, arguments)
                seconds = time.perf_counter() - began
                printed = subprocess.run(
                    command_line(tool, arguments, case), capture_output=True, env=ENVIRONMENT, check=False
                ).stdout
                same = not result.is_error and json_text(result.structured_content["answer"]).encode() == printed
                equal += same
                say(f"{tool:<14}{'equal' if same else 'DIFFERENT'}  {seconds:.2f} s  {len(printed):,} bytes")
        say(f"{equal} of {len(listed)} tools answer as --json does")


def command_line(tool: str, arguments: dict[str, Any], case: str) -> list[str]:
    words = [*LISTS.get(tool, tool.replace("_", "-")).split(), *([] if tool in LISTS else [case])]
    for name, value in arguments.items():
        if name in ("name", "offer"):
            words.append(value)
        else:
            words += [f"--{name}={each}" for each in (value if isinstance(value, list) else [value])]
    return [*COMMAND, *words, "--json"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("load", "hostile", "tools"))
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--clients", type=int, default=8)
    arguments = parser.parse_args()
    if arguments.what == "load":
        asyncio.run(load(arguments.count, arguments.clients))
    else:
        asyncio.run(hostile(arguments.count) if arguments.what == "hostile" else tools())


if __name__ == "__main__":
    main()
