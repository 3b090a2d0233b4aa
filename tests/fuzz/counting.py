"""Counts of exit codes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from friendshore.cli.options import EXIT_CODES

from .trying import Tried


@dataclass
class Tally:
    """Summary of all inputs."""

    inputs: Counter[str] = field(default_factory=Counter)
    """Kind of input -> count."""
    codes: Counter[tuple[str, int | None]] = field(default_factory=Counter)
    """Command and exit code -> count."""
    wrong: int = 0
    """Inputs with faults."""
    tracebacks: int = 0
    hangs: int = 0
    slowest: float = 0.0
    memory: int = 0

    def add(self, tried: Tried) -> None:
        if not tried.done:
            return
        self.inputs[tried.kind] += 1
        self.wrong += bool(tried.faults)
        for done in tried.done:
            group = done.command[0] in ("catalogs", "plugins", "rules") and len(done.command) > 1
            name = " ".join(done.command[: 1 + group])
            self.codes[name if name.replace(" ", "").replace("-", "").isalpha() else "(other)", done.code] += 1
            self.slowest = max(self.slowest, done.seconds)
            self.memory = max(self.memory, done.memory)
        self.hangs += sum(done.code is None for done in tried.done)
        self.tracebacks += sum("traceback:" in fault for fault in tried.faults)

    def text(self, seconds: float) -> str:
        """Return the table of exit codes, and the figures that must be 0."""
        names: dict[int | None, str] = {code: name for code, name, _ in EXIT_CODES}
        other_codes = sorted({code for _, code in self.codes if code is not None} - set(names))
        columns = [*names, *other_codes, None]
        rows = [["command", *(f"{code} {names.get(code, '?')}" for code in columns[:-1]), "hang"]]
        commands = sorted({command for command, _ in self.codes})
        rows += [[command, *(str(self.codes[command, code] or "") for code in columns)] for command in commands]
        count_by_code = Counter(code for (_, code), number in self.codes.items() for _ in range(number))
        rows.append(["all", *(str(count_by_code[code] or "") for code in columns)])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(self.inputs.items()))
        return "\n".join([
            "", *lines, "",
            f"{sum(self.inputs.values()):,} inputs ({kinds}), {sum(self.codes.values()):,} commands, {seconds:,.0f} s",
            f"tracebacks: {self.tracebacks}; hangs over 10 s: {self.hangs}; slowest: {self.slowest:.1f} s; "
            f"most memory: {self.memory / 2**20:,.0f} MiB; inputs on which something is wrong: {self.wrong}",
            "",
        ])  # fmt: skip
