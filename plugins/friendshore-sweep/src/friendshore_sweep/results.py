"""Results of a sweep: records, tables, and the journal for resuming it."""

from __future__ import annotations

import csv
import io
import json
import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from functools import cached_property, partial
from hashlib import sha256
from importlib.metadata import version
from operator import eq
from pathlib import Path
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import IO, TYPE_CHECKING, Annotated, Any, ClassVar, Literal, overload

from pydantic import Field, PlainSerializer, ValidationError, WrapValidator

from friendshore.domain.base import Number, Record
from friendshore.domain.plan import Cost
from friendshore.domain.used import RunPlugin
from friendshore.errors import InputError
from friendshore.explain.results import QuestionResult
from friendshore.inert import cell_inert
from friendshore.plugins.processes import versions
from friendshore.problem.changes import scenario_changes
from friendshore.problem.inputs import Applied, Inputs
from friendshore.writing import replace_file

if TYPE_CHECKING:
    import pandas


FAILED = "error"


class SweepScenario(Record):
    """A scenario of a sweep, before planning."""

    name: str
    varied: dict[str, str] = {}
    applied: Applied


class ScenarioMaterial(Record):
    """Figures of a material over the whole plan of a scenario."""

    material: str
    wanted_kg: Number
    """Demand, without the inputs of makers."""
    short_kg: Number
    bought_kg: Number
    cost: Number
    """Price, charges, and freight of purchases, not discounted."""


class ScenarioPurchase(Record):
    """Purchases from an offer for some end uses at a place, over the whole plan of a scenario."""

    material: str
    end_use: str
    offer: str
    facility: str
    country: str
    place: str
    quantity_kg: Number
    share: Number
    cost: Number
    """Price, charges, and freight, not discounted."""


class ScenarioPlan(Record):
    """Result of a scenario."""

    status: Literal["optimal", "feasible", "infeasible", "interrupted", "unconfirmed", "error"]
    """`error` means that there is no plan; the message says why."""
    message: str = ""
    bound: Number | None = None
    cost: Cost | None = None
    """Spending by part, and the objective, as in `plan`."""
    demands_short: int = 0
    materials: tuple[ScenarioMaterial, ...] = ()
    purchases: tuple[ScenarioPurchase, ...] = ()

    @cached_property
    def failed(self) -> bool:
        return self.status == FAILED


class StoredScenario(Record):
    """Result of a scenario as stored, with the plan that proves it."""

    outcome: ScenarioPlan
    entries: str = ""
    """The plan, as compressed JSON. Empty if there is none."""


class SweptScenario(Record):
    """A scenario of a sweep with its plan."""

    number: Annotated[int, Field(ge=1)]
    name: str
    varied: dict[str, str] = {}
    plan: ScenarioPlan


class Scenarios(Sequence[SweepScenario]):
    """The scenarios of a sweep, created on access to save memory."""

    def __init__(self, count: int, make: Callable[[int], SweepScenario]) -> None:
        self._count, self._make = count, make

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> SweepScenario: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[SweepScenario, ...]: ...
    def __getitem__(self, index: int | slice) -> SweepScenario | tuple[SweepScenario, ...]:
        position = range(self._count)[index]
        return self._make(position) if isinstance(position, int) else tuple(map(self._make, position))


class LazyScenarios(Sequence[SweptScenario]):
    """Scenarios with their plans, each parsed on access to save memory."""

    def __init__(
        self, scenarios: Sequence[SweepScenario], positions: Sequence[int], plan_json: Callable[[int], str]
    ) -> None:
        """Select the scenarios at `positions`. `plan_json` returns the JSON of a plan, given its position."""
        self._scenarios, self._positions, self._plan_json = scenarios, positions, plan_json

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, index: int) -> SweptScenario: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[SweptScenario, ...]: ...
    def __getitem__(self, index: int | slice) -> SweptScenario | tuple[SweptScenario, ...]:
        position = self._positions[index]
        return self._read(position) if isinstance(position, int) else tuple(map(self._read, position))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(eq, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __reduce__(self) -> tuple[type[tuple[SweptScenario, ...]], tuple[tuple[SweptScenario, ...]]]:
        return tuple, (tuple(self),)

    def _read(self, position: int) -> SweptScenario:
        scenario = self._scenarios[position]
        stored = StoredScenario.model_validate_json(self._plan_json(position))
        return SweptScenario(number=position + 1, name=scenario.name, varied=scenario.varied, plan=stored.outcome)


def _validate_scenarios(value: Any, validate: Callable[[Any], Sequence[SweptScenario]]) -> Sequence[SweptScenario]:
    return value if isinstance(value, LazyScenarios) else tuple(validate(value))


_PLAN_COLUMNS = ("status", "message", "bound", "demands_short")
Row = dict[str, object]


class Sweep(QuestionResult):
    """Scenarios of a case in the given order, each planned as by `plan`."""

    TABLES: ClassVar[tuple[str, ...]] = ("totals", "materials", "purchases")
    """Tables with a row per scenario; per scenario and material; and per scenario, material, end use, offer, and place."""

    case: str
    currency: str
    axes: tuple[str, ...] = ()
    objective: Number | None = None
    """Objective of the plan without scenarios: present value with penalties. None if there is no such plan."""
    cash: Number | None = None
    scenarios: Annotated[
        Sequence[SweptScenario],
        WrapValidator(_validate_scenarios),
        PlainSerializer(tuple, return_type=tuple[SweptScenario, ...]),
    ] = ()
    """A tuple, or `LazyScenarios`, which parses on access."""
    not_tried: int = 0
    """Number of unplanned scenarios, because the user or a time limit ended the sweep."""
    reused: int = Field(default=0, exclude=True)
    """Number of plans that the folder contained before. Not part of the data, which don't depend on it."""

    @cached_property
    def failed(self) -> tuple[SweptScenario, ...]:
        return tuple(scenario for scenario in self.scenarios if scenario.plan.failed)

    def columns(self, table: str) -> tuple[str, ...]:
        if table == "totals":
            return ("number", "name", *self.axes, *_PLAN_COLUMNS, *Cost.model_fields)
        record = ScenarioMaterial if table == "materials" else ScenarioPurchase
        return ("number", "name", *record.model_fields)

    def rows(self, table: str) -> Iterator[Row]:
        for scenario in self.scenarios:
            yield from self.rows_of(scenario, table)

    def rows_of(self, scenario: SweptScenario, table: str) -> Iterator[Row]:
        head: Row = {"number": scenario.number, "name": scenario.name}
        if table == "totals":
            varied = {axis: scenario.varied.get(axis, "") for axis in self.axes}
            yield {**head, **varied, **_totals(scenario.plan)}
        else:
            entries = scenario.plan.materials if table == "materials" else scenario.plan.purchases
            yield from ({**head, **entry.__dict__} for entry in entries)

    def to_frame(self, table: str = "") -> pandas.DataFrame:
        """Return one of `TABLES`, by default the totals, as a data frame with numbers as doubles. Raises ValueError for another table."""
        import pandas

        name = table or self.TABLES[0]
        if name not in self.TABLES:
            raise ValueError(f"no table `{name}`: one of {', '.join(self.TABLES)}")
        rows = [{key: as_double(value) for key, value in row.items()} for row in self.rows(name)]
        return pandas.DataFrame(rows, columns=list(self.columns(name)))


def as_double(value: object) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _totals(plan: ScenarioPlan) -> Row:
    cost = {name: None if plan.cost is None else getattr(plan.cost, name) for name in Cost.model_fields}
    return {**{name: getattr(plan, name) for name in _PLAN_COLUMNS}, **cost}


_PIECE = 2**20
_GROUP = 50_000
"""Rows in memory before they are written as a Parquet row group."""
_NUMBERS = {*Cost.model_fields, "bound", "wanted_kg", "short_kg", "bought_kg", "quantity_kg", "share", "cost"}


def write_tables(sweep_result: Sweep, folder: Path, *, parquet: bool) -> None:
    """Write every table. Existing files are replaced. Raises OSError if a file can't be written."""
    with ExitStack() as stack:
        files = {table: stack.enter_context(TemporaryFile("w+b")) for table in sweep_result.TABLES}
        csv_tables = {table: _Csv(sweep_result.columns(table), files[table]) for table in sweep_result.TABLES}
        parquet_tables: dict[str, _Parquet] = {}
        if parquet:
            parquet_files = {table: stack.enter_context(TemporaryFile("w+b")) for table in sweep_result.TABLES}
            parquet_tables = {
                table: _Parquet(sweep_result.columns(table), parquet_files[table]) for table in sweep_result.TABLES
            }
        for scenario in sweep_result.scenarios:  # each is parsed once
            for table in sweep_result.TABLES:
                rows = list(sweep_result.rows_of(scenario, table))
                csv_tables[table].add(rows)
                if parquet_tables:
                    parquet_tables[table].add(rows)
        for table in sweep_result.TABLES:
            replace_file(folder / f"{table}.csv", _chunks(csv_tables[table].done()))
            if parquet_tables:
                replace_file(folder / f"{table}.parquet", _chunks(parquet_tables[table].done()))


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    yield from iter(partial(file.read, _PIECE), b"")


def check_parquet(folder: Path | None) -> None:
    """Reject Parquet output before the work, if there is no folder for it or its library isn't installed."""
    if folder is None:
        raise InputError("--parquet needs a folder", column="--parquet", fix="add --folder FOLDER", code="FS501")
    try:
        import pyarrow.parquet  # noqa: F401 - only to see if it is installed
    except ImportError as error:
        fix = 'run `pip install "friendshore-sweep[parquet]"`'
        raise InputError(
            "writing Parquet needs pyarrow, which isn't installed", column="--parquet", fix=fix, code="FS963"
        ) from error


class _Csv:
    def __init__(self, columns: Sequence[str], file: IO[bytes]) -> None:
        self._columns = columns
        self._file = file
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._writer.writerow(map(cell_inert, columns))

    def add(self, rows: Iterable[Row]) -> None:
        self._writer.writerows([_cell(row[column]) for column in self._columns] for row in rows)

    def done(self) -> IO[bytes]:
        self._text.flush()
        self._text.detach()
        return self._file


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else cell_inert(str(value))


class _Parquet:
    def __init__(self, columns: Sequence[str], file: IO[bytes]) -> None:
        import pyarrow
        import pyarrow.parquet

        self._columns, self._file = columns, file
        self._schema = pyarrow.schema([(column, _kind(column)) for column in columns])
        self._writer = pyarrow.parquet.ParquetWriter(file, self._schema)
        self._rows: list[Row] = []

    def add(self, rows: Iterable[Row]) -> None:
        self._rows += rows
        if len(self._rows) >= _GROUP:
            self._write()

    def done(self) -> IO[bytes]:
        self._write()
        self._writer.close()
        return self._file

    def _write(self) -> None:
        import pyarrow

        values = ([as_double(row[column]) for row in self._rows] for column in self._columns)
        arrays = [pyarrow.array(each, field.type) for each, field in zip(values, self._schema, strict=True)]
        self._writer.write_table(pyarrow.Table.from_arrays(arrays, schema=self._schema))
        self._rows = []


def _kind(column: str) -> object:
    import pyarrow

    if column in _NUMBERS:
        return pyarrow.float64()
    return pyarrow.int64() if column in ("number", "demands_short") else pyarrow.string()


JOURNAL = "journal.jsonl"
MAX_BYTES_IN_MEMORY = 32 * 2**20
"""Maximum bytes of plans in memory. The rest is in a temporary file."""
_FORMAT = 3
"""Version of a line. Plans of other versions are ignored."""


def plan_keys(
    facts: Inputs, plugins: Iterable[RunPlugin], settings: Mapping[str, object], applied_changes: Iterable[Applied]
) -> list[str]:
    """Return a key for each scenario's plan: a hash of the facts, the code that reads them, the settings, and the changes.

    Names of scenarios, and other scenarios of the case, don't affect it.
    """
    plugin_records = [each.model_dump_json() for each in plugins]
    common = json.dumps(
        [_FORMAT, versions(), version("friendshore-sweep"), dict(settings), facts.digest, plugin_records],
        sort_keys=True,
    )
    return [sha256(f"{common} {_resolved_changes(facts, each)}".encode()).hexdigest() for each in applied_changes]


def _resolved_changes(facts: Inputs, applied: Applied) -> str:
    try:
        changes = (*scenario_changes(facts.case, applied.scenario), *applied.changes)
    except InputError:  # an unknown scenario, which planning will report
        return applied.model_dump_json()
    return applied.but(scenario=(), changes=changes).model_dump_json()


class Journal:
    """Plans by key, stored in a file if there is one."""

    def __init__(self, file: Path | None, known_plans: Iterable[tuple[str, str]] = ()) -> None:
        """Start with plans as JSON. They aren't confirmed."""
        self._plans_file = SpooledTemporaryFile(MAX_BYTES_IN_MEMORY)  # noqa: SIM115 - open while plans may be read
        weakref.finalize(self, self._plans_file.close)
        self._positions: dict[str, tuple[int, int]] = {}
        self._confirmed: set[str] = set()
        for key, plan in known_plans:
            self._store(key, plan)
        self._file = None if file is None else file.open("ab")
        if self._file is not None and self._file.tell():
            self._file.write(b"\n")  # the last line may be cut off

    def __contains__(self, key: str) -> bool:
        """Return True if this process made or verified the plan."""
        return key in self._confirmed

    def known(self, key: str) -> str | None:
        return self.plan(key) if key in self._positions else None

    def plan(self, key: str) -> str:
        start, length = self._positions[key]
        self._plans_file.seek(start)
        return self._plans_file.read(length).decode()

    def add(self, key: str, plan: str) -> None:
        """Add a confirmed plan as JSON. Unless it is in the file, it is written and flushed to disk. Raises OSError if it can't be written."""
        self._confirmed.add(key)
        if self.known(key) == plan:
            return
        self._store(key, plan)
        if self._file is not None:
            self._file.write(_line(key, plan))
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _store(self, key: str, plan: str) -> None:
        start = self._plans_file.seek(0, os.SEEK_END)
        self._positions[key] = start, self._plans_file.write(plan.encode())


@contextmanager
def open_journal(folder: Path | None, *, resume: bool, rerun: bool) -> Iterator[Journal]:
    """Open the journal of a folder, which is created if necessary. None stores nothing.

    With `resume`, the folder is reused. Otherwise it must not exist. `rerun` drops failed scenarios. Raises InputError if the folder can't be used, and
    OSError if it can't be read or written.
    """
    if folder is None:
        yield Journal(None)
        return
    file = folder / JOURNAL
    if (folder.exists() or folder.is_symlink()) and not resume:
        raise InputError(
            "the folder exists already",
            str(folder),
            fix="continue the sweep in it with --resume, or name another folder",
            code="FS964",
        )
    if folder.exists() and not file.is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            "the folder contains other files than a sweep's", str(folder), fix="name another folder", code="FS964"
        )
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(file, _read(file, rerun=rerun) if file.is_file() else ())
    try:
        yield journal
    finally:
        journal.close()


_KEY_MARK, _PLAN_MARK = b'{"key":"', b'","plan":'


def _line(key: str, plan: str) -> bytes:
    rest = b"".join((_KEY_MARK, key.encode(), _PLAN_MARK, plan.encode(), b"}"))
    return sha256(rest).hexdigest().encode() + b" " + rest + b"\n"


def _read(file: Path, *, rerun: bool) -> Iterator[tuple[str, str]]:
    with file.open("rb") as lines:
        for line in lines:
            digest, _, rest = line.rstrip(b"\n").partition(b" ")
            if not line.endswith(b"}\n") or sha256(rest).hexdigest().encode() != digest:
                continue
            key, separator, plan = rest.removeprefix(_KEY_MARK)[:-1].partition(_PLAN_MARK)
            try:
                stored = StoredScenario.model_validate_json(plan)
            except ValidationError:
                continue
            if separator and not (rerun and stored.outcome.failed):
                yield key.decode(), plan.decode()


def sort_journal(folder: Path, plan_keys: Iterable[str], journal: Journal) -> None:
    """Rewrite the journal of a finished sweep with only its scenarios, in order. Raises OSError if it can't be written."""
    replace_file(folder / JOURNAL, (_line(key, journal.plan(key)) for key in dict.fromkeys(plan_keys)))
