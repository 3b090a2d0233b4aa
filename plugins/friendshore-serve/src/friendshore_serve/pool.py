"""The processes of a server, with a queue and limits, and what it keeps."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from friendshore.case.confined import check_posted, file_of, fingerprint, root_of
from friendshore.case.load import CASE_FILE
from friendshore.domain.runtime import SizeLimitedCache
from friendshore.plugins import Registry
from friendshore.reading.tomlfile import toml_text
from friendshore.report.formats import format_names

from .tools import CASE, ServerLimits, Toolbox, refused
from .worker import Progress, Request, ServedAnswer, end_group, serve

_SPAWN = get_context("spawn")
Watch = Callable[[Progress], object]


class _Process:
    """A worker, and its end of a pipe."""

    def __init__(self, limits: ServerLimits, roots: tuple[Path, ...]) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=serve, args=(theirs, limits, roots))
        self._process.start()
        theirs.close()

    def ask(self, request: Request, watch: Watch) -> ServedAnswer:
        """Return the answer. Raise EOFError or OSError if the process ends before."""
        self._pipe.send(request)
        while isinstance(message := self._pipe.recv(), Progress):
            watch(message)
        assert isinstance(message, ServedAnswer)
        return message

    def end(self) -> None:
        """End the process and all that it started."""
        assert self._process.pid is not None  # it was started
        end_group(self._process.pid)
        self._process.kill()
        self._process.join()


class ProcessPool:
    """Processes that start on demand. One that fails, is canceled, or takes too long is ended, and replaced by the next question."""

    def __init__(self, limits: ServerLimits, roots: tuple[Path, ...]) -> None:
        self._limits, self._roots = limits, roots
        self._free = asyncio.Semaphore(limits.workers)
        self._idle: list[_Process] = []
        self._waiting = 0
        # As many more threads as a canceled answer may still occupy while its process ends.
        self._threads = ThreadPoolExecutor(2 * limits.workers)

    async def ask(self, request: Request, watch: Watch) -> ServedAnswer:
        """Return the answer of a process. Raise `InputError` if a limit refuses or ends it, or if the process fails."""
        if self._waiting >= self._limits.queue:
            raise refused("FS929", f"{self._waiting:,} questions wait already", fix="ask again later")
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        try:
            return await self._answer(request, watch)
        finally:
            self._free.release()

    async def _answer(self, request: Request, watch: Watch) -> ServedAnswer:
        loop, answer = asyncio.get_running_loop(), None
        process = self._idle.pop() if self._idle else _Process(self._limits, self._roots)
        try:
            async with asyncio.timeout(self._limits.seconds):
                report: Watch = partial(loop.call_soon_threadsafe, cast(Callable[[], object], watch))
                answer = await loop.run_in_executor(self._threads, process.ask, request, report)
        except TimeoutError:
            fix = "ask about less, or start the server with more --seconds"
            raise refused("FS929", f"no answer within {self._limits.seconds:g} s", fix=fix) from None
        except (EOFError, OSError) as error:
            raise refused(
                "FS929", "the process that answered has ended", fix="ask again, or see the server's log"
            ) from error
        finally:
            if answer is not None and answer.failure is None and answer.megabytes <= self._limits.megabytes // 2:
                self._idle.append(process)
            else:
                process.end()
        if answer.failure is not None:
            raise answer.failure
        return answer

    def close(self) -> None:
        """End all idle processes. Answers must have been canceled before."""
        for process in self._idle:
            process.end()
        self._idle.clear()
        self._threads.shutdown()


def _ignore(progress: Progress) -> None:
    """Watch nothing."""


class Service:
    """Tools, cases by name, processes, and results of a server."""

    def __init__(self, cases: Mapping[str, Path], limits: ServerLimits, *, may_post: bool = True) -> None:
        self.cases, self.limits, self._may_post = cases, limits, may_post
        registry = Registry.discover()
        self.toolbox, self._posting = Toolbox(registry, tuple(cases)), Toolbox(registry, (CASE,))
        self.pool = ProcessPool(limits, tuple({root_of(path) for path in cases.values()}))
        self.results = SizeLimitedCache[str, tuple[bytes, str]](limits.result_bytes)
        """Hash of a result -> its bytes and format."""

    def formats(self, name: str) -> list[str]:
        """Return the formats of a tool's answers besides JSON."""
        return format_names(self.toolbox.registry) if self.toolbox[name].has_pages else []

    async def ask(self, name: str, arguments: object, form: str = "", watch: Watch = _ignore) -> ServedAnswer:
        """Return the answer of a tool to unchecked arguments, whose `case` may be the name of a case or a table. Its errors are in the answer.

        Raises:
            InputError: If an argument, the case, or the format is invalid, or a limit ends the answer.
        """
        if form and form not in self.formats(name):
            raise refused(
                "FS939", "no such format of this answer", form, f"use one of {', '.join(('json', *self.formats(name)))}"
            )
        with TemporaryDirectory(prefix="friendshore-") as folder:
            return await self.pool.ask(self._request(name, arguments, form, Path(folder)), watch)

    def _request(self, name: str, arguments: object, form: str, folder: Path) -> Request:
        posted = arguments.get(CASE) if isinstance(arguments, Mapping) else None
        if not self._may_post or not isinstance(arguments, Mapping) or not isinstance(posted, Mapping):
            tool, cases = self.toolbox[name], self.cases
            checked = tool.checked(arguments)
        else:
            tool, cases = self._posting[name], {CASE: Path(CASE_FILE)}
            checked = tool.checked({**arguments, CASE: CASE})
            check_posted(posted)
            try:
                (folder / CASE_FILE).write_text(toml_text({"schema": 1, **posted}), encoding="utf-8")
            except (TypeError, ValueError) as error:
                raise refused("FS927", "a value can't be in a case", str(error), file=CASE) from error
        paths = {option: cases[value] for option, value in checked.items() if tool.options[option].is_case}
        return Request(name, checked | paths, form, folder, cases is not self.cases)

    def case_text(self, name: str) -> str:
        """Return the case file of a named case. Raise `InputError` if it isn't text, or is a link to elsewhere."""
        path = self.cases[name]
        fingerprint(path, [root_of(path)])
        try:
            return file_of(path).read_text(encoding="utf-8-sig")
        except ValueError:
            raise refused("FS939", "the case isn't text", fix="ask `check` about it", file=str(path)) from None

    def keep(self, content: bytes, form: str) -> str:
        """Keep a result, and return its hash."""
        name = hashlib.sha256(content).hexdigest()
        self.results.keep(name, (content, form), len(content))
        return name


def named_cases(paths: Sequence[Path]) -> dict[str, Path]:
    """Return cases by name: that of the folder, or of another file. Raise `InputError` if one doesn't exist, or two have the same name."""
    cases: dict[str, Path] = {}
    for path in paths:
        file = file_of(path.resolve())
        name = file.parent.name if file.name == CASE_FILE else file.stem
        if not file.is_file():
            raise refused("FS200", "no such case", fix="name a case file or its folder", file=str(path))
        if name in cases:
            raise refused("FS987", "two cases have the same name", name, "rename a folder", str(path))
        cases[name] = path
    return cases
