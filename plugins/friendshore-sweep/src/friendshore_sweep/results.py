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
"""Status of a scenario that couldn't be planned."""


class SweepScenario(Record):
    """A scenario of a sweep, before planning."""

    name: str
    """Name: its axes with their values."""
    varied: dict[str, str] = {}
    """Axis -> value, as written."""
    applied: Applied
    """Its changes."""


class ScenarioMaterial(Record):
    """A material in the plan of a scenario, over the whole plan."""

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
    """End uses that they may serve."""
    offer: str
    facility: str
    country: str
    place: str
    quantity_kg: Number
    share: Number
    """Share of the material's purchases in kilograms."""
    cost: Number
    """Price, charges, and freight, not discounted."""


class ScenarioPlan(Record):
    """Plan of a scenario."""

    status: Literal["optimal", "feasible", "infeasible", "interrupted", "unconfirmed", "error"]
    """Status of the plan. `error` means that there is none; the message says why."""
    message: str = ""
    """Error, or the rules that conflict."""
    bound: Number | None = None
    """Lower bound on the objective of every plan."""
    cost: Cost | None = None
    """Spending by part, and the objective, as in `plan`."""
    demands_short: int = 0
    """Number of demands with a shortage."""
    materials: tuple[ScenarioMaterial, ...] = ()
    purchases: tuple[ScenarioPurchase, ...] = ()

    @cached_property
    def failed(self) -> bool:
        """True if there is no plan."""
        return self.status == FAILED


class StoredScenario(Record):
    """Plan of a scenario as stored: its figures, and the whole plan to verify them."""

    told: ScenarioPlan
    entries: str = ""
    """The plan, as compressed JSON. Empty if there is none."""


class SweptScenario(Record):
    """A scenario of a sweep with its plan."""

    number: Annotated[int, Field(ge=1)]
    """Position in the given order."""
    name: str
    varied: dict[str, str] = {}
    """Axis -> value, as written."""
    plan: ScenarioPlan


class Scenarios(Sequence[SweepScenario]):
    """The scenarios of a sweep, created on access to save memory."""

    def __init__(self, count: int, make: Callable[[int], SweepScenario]) -> None:
        """Create the sequence from its length and a function of the position."""
        self._count, self._make = count, make

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> SweepScenario: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[SweepScenario, ...]: ...
    def __getitem__(self, place: int | slice) -> SweepScenario | tuple[SweepScenario, ...]:
        here = range(self._count)[place]
        return self._make(here) if isinstance(here, int) else tuple(map(self._make, here))


class LazyScenarios(Sequence[SweptScenario]):
    """Scenarios with their plans, each parsed on access."""

    def __init__(self, asked: Sequence[SweepScenario], places: Sequence[int], plan: Callable[[int], str]) -> None:
        """Select scenarios.

        Args:
            asked: All scenarios.
            places: Positions of the selected ones.
            plan: Function that returns the JSON of a plan, given its position.
        """
        self._asked, self._places, self._plan = asked, places, plan

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> SweptScenario: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[SweptScenario, ...]: ...
    def __getitem__(self, place: int | slice) -> SweptScenario | tuple[SweptScenario, ...]:
        found = self._places[place]
        return self._read(found) if isinstance(found, int) else tuple(map(self._read, found))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(eq, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __reduce__(self) -> tuple[type[tuple[SweptScenario, ...]], tuple[tuple[SweptScenario, ...]]]:
        return tuple, (tuple(self),)

    def _read(self, place: int) -> SweptScenario:
        one = self._asked[place]
        kept = StoredScenario.model_validate_json(self._plan(place))
        return SweptScenario(number=place + 1, name=one.name, varied=one.varied, plan=kept.told)


def _kept(value: Any, validated: Callable[[Any], Sequence[SweptScenario]]) -> Sequence[SweptScenario]:
    return value if isinstance(value, LazyScenarios) else tuple(validated(value))


_PLAN_COLUMNS = ("status", "message", "bound", "demands_short")
Row = dict[str, object]
"""Row of a table: column -> text, number, or nothing."""


class Sweep(QuestionResult):
    """Scenarios of a case in the given order, each planned as by `plan`."""

    TABLES: ClassVar[tuple[str, ...]] = ("totals", "materials", "purchases")
    """Tables with a row per scenario; per scenario and material; and per scenario, material, end use, offer, and place."""

    case: str
    currency: str
    axes: tuple[str, ...] = ()
    """Axes in order."""
    objective: Number | None = None
    """Objective of the plan without scenarios: present value with penalties. None if there is no such plan."""
    cash: Number | None = None
    """Cash that this plan spends."""
    scenarios: Annotated[
        Sequence[SweptScenario], WrapValidator(_kept), PlainSerializer(tuple, return_type=tuple[SweptScenario, ...])
    ] = ()
    """A tuple, or `LazyScenarios`, which parses on access."""
    unasked: int = 0
    """Number of scenarios that weren't planned, because the user or a time limit ended the sweep."""
    kept: int = Field(default=0, exclude=True)
    """Number of plans that the folder contained before. Not part of the data, which don't depend on it."""

    @cached_property
    def failed(self) -> tuple[SweptScenario, ...]:
        """Scenarios without a plan."""
        return tuple(one for one in self.scenarios if one.plan.failed)

    def columns(self, table: str) -> tuple[str, ...]:
        """Return the columns of a table in order."""
        if table == "totals":
            return ("number", "name", *self.axes, *_PLAN_COLUMNS, *Cost.model_fields)
        record = ScenarioMaterial if table == "materials" else ScenarioPurchase
        return ("number", "name", *record.model_fields)

    def rows(self, table: str) -> Iterator[Row]:
        """Yield the rows of a table in order."""
        for one in self.scenarios:
            yield from self.rows_of(one, table)

    def rows_of(self, one: SweptScenario, table: str) -> Iterator[Row]:
        """Yield the rows of one scenario."""
        head: Row = {"number": one.number, "name": one.name}
        if table == "totals":
            yield {**head, **_axes(self.axes, one), **_totals(one.plan)}
        else:
            entries = one.plan.materials if table == "materials" else one.plan.purchases
            yield from ({**head, **entry.__dict__} for entry in entries)

    def to_frame(self, table: str = "") -> pandas.DataFrame:
        """Return one of `TABLES`, by default the totals, as a data frame with numbers as doubles.

        Raises:
            ValueError: For another table.
        """
        import pandas

        name = table or self.TABLES[0]
        if name not in self.TABLES:
            raise ValueError(f"no table `{name}`: one of {', '.join(self.TABLES)}")
        rows = [{key: as_double(value) for key, value in row.items()} for row in self.rows(name)]
        return pandas.DataFrame(rows, columns=list(self.columns(name)))


def as_double(value: object) -> Any:
    """Return a cell for data frame libraries."""
    return float(value) if isinstance(value, Decimal) else value


def _axes(axes: tuple[str, ...], one: SweptScenario) -> Row:
    return {axis: one.varied.get(axis, "") for axis in axes}


def _totals(plan: ScenarioPlan) -> Row:
    cost = {name: None if plan.cost is None else getattr(plan.cost, name) for name in Cost.model_fields}
    return {**{name: getattr(plan, name) for name in _PLAN_COLUMNS}, **cost}


_PIECE = 2**20
"""Bytes per copy."""
_GROUP = 50_000
"""Rows in memory before they are written as a Parquet row group."""
_NUMBERS = {*Cost.model_fields, "bound", "wanted_kg", "short_kg", "bought_kg", "quantity_kg", "share", "cost"}
"""Columns of non-integers. Values of axes are text."""


def write_tables(found: Sweep, folder: Path, *, parquet: bool) -> None:
    """Write every table, and replace existing ones.

    Raises:
        InputError: If Parquet is requested without the library for it.
        OSError: If a file can't be written.
    """
    with ExitStack() as stack:
        files = {table: stack.enter_context(TemporaryFile("w+b")) for table in found.TABLES}
        sheets = {table: _Csv(found.columns(table), files[table]) for table in found.TABLES}
        wide: dict[str, _Parquet] = {}
        if parquet:
            sinks = {table: stack.enter_context(TemporaryFile("w+b")) for table in found.TABLES}
            wide = {table: _Parquet(found.columns(table), sinks[table]) for table in found.TABLES}
        for one in found.scenarios:  # each is read once
            for table in found.TABLES:
                rows = list(found.rows_of(one, table))
                sheets[table].add(rows)
                if wide:
                    wide[table].add(rows)
        for table in found.TABLES:
            replace_file(folder / f"{table}.csv", _pieces(sheets[table].done()))
            if wide:
                replace_file(folder / f"{table}.parquet", _pieces(wide[table].done()))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    yield from iter(partial(file.read, _PIECE), b"")


def refuse_without_parquet(folder: Path | None) -> None:
    """Reject Parquet output before the work if nothing is written, or if the library isn't installed.

    Raises:
        InputError: If so.
    """
    if folder is None:
        raise InputError("there is nothing to write as Parquet", column="--parquet", fix="name a folder with --folder")
    try:
        import pyarrow.parquet  # noqa: F401 - whether it is there
    except ImportError as error:
        fix = 'pip install "friendshore-sweep[parquet]"'
        raise InputError(
            "Parquet is written with pyarrow, which is not installed", column="--parquet", fix=fix
        ) from error


class _Csv:
    """A CSV table with full precision."""

    def __init__(self, columns: Sequence[str], file: IO[bytes]) -> None:
        self._columns = columns
        self._file = file
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._writer.writerow(map(cell_inert, columns))

    def add(self, rows: Iterable[Row]) -> None:
        self._writer.writerows([_cell(row[column]) for column in self._columns] for row in rows)

    def done(self) -> IO[bytes]:
        """Return the complete file."""
        self._text.flush()
        self._text.detach()
        return self._file


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else cell_inert(str(value))


class _Parquet:
    """A Parquet table with numbers as doubles."""

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
        """Return the complete file."""
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
MOST_HELD = 32 * 2**20
"""Maximum bytes of plans in memory. The rest is in a temporary file."""
_FORMAT = 2
"""Version of a line. Plans of other versions are ignored."""


def keys(
    facts: Inputs, plugins: Iterable[RunPlugin], settings: Mapping[str, object], asked: Iterable[Applied]
) -> list[str]:
    """Return a key for each scenario's plan: a hash of the facts, the code that reads them, the settings, and the changes.

    Names of scenarios, and other scenarios of the case, don't affect it.
    """
    used = [one.model_dump_json() for one in plugins]
    same = json.dumps(
        [_FORMAT, versions(), version("friendshore-sweep"), dict(settings), facts.digest, used], sort_keys=True
    )
    return [sha256(f"{same} {_spelt_out(facts, one)}".encode()).hexdigest() for one in asked]


def _spelt_out(facts: Inputs, applied: Applied) -> str:
    try:
        changes = (*scenario_changes(facts.case, applied.scenario), *applied.changes)
    except InputError:  # no such scenario, as its plan will say
        return applied.model_dump_json()
    return applied.but(scenario=(), changes=changes).model_dump_json()


class Journal:
    """Known plans in a file, to which new ones are added."""

    def __init__(self, file: Path | None, known: Iterable[tuple[str, str]] = ()) -> None:
        """Start with known plans by key, as JSON. Without a file, nothing outlives the process."""
        self._held = SpooledTemporaryFile(MOST_HELD)  # noqa: SIM115 - as long as anybody may look at a plan
        weakref.finalize(self, self._held.close)
        self._places: dict[str, tuple[int, int]] = {}
        self._believed: set[str] = set()
        for key, plan in known:
            self._hold(key, plan)
        self._file = None if file is None else file.open("ab")
        if self._file is not None and self._file.tell():
            self._file.write(b"\n")  # the last line may be cut off

    def __contains__(self, key: str) -> bool:
        """Return True if a plan is known and was made or verified by this process."""
        return key in self._believed

    def known(self, key: str) -> str | None:
        """Return a plan as JSON, verified or not. None if there is none."""
        return self.plan(key) if key in self._places else None

    def plan(self, key: str) -> str:
        """Return a known plan as JSON."""
        start, length = self._places[key]
        self._held.seek(start)
        return self._held.read(length).decode()

    def add(self, key: str, plan: str) -> None:
        """Add a plan as JSON, and flush it to disk unless it is there already.

        Raises:
            OSError: If it can't be written.
        """
        self._believed.add(key)
        if self.known(key) == plan:
            return
        self._hold(key, plan)
        if self._file is not None:
            self._file.write(_line(key, plan))
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """End writing. Known plans remain readable."""
        if self._file is not None:
            self._file.close()

    def _hold(self, key: str, plan: str) -> None:
        start = self._held.seek(0, os.SEEK_END)
        self._places[key] = start, self._held.write(plan.encode())


@contextmanager
def kept(folder: Path | None, *, resume: bool, rerun: bool) -> Iterator[Journal]:
    """Open the journal of a folder, which is created if necessary.

    Args:
        folder: Folder of the sweep. None stores nothing.
        resume: True to reuse its contents. Otherwise it must not exist.
        rerun: True to plan failed scenarios again.

    Raises:
        InputError: If the folder exists and isn't to be reused, or isn't a sweep's.
        OSError: If it can't be read or written.
    """
    if folder is None:
        yield Journal(None)
        return
    file = folder / JOURNAL
    if (folder.exists() or folder.is_symlink()) and not resume:
        raise InputError(
            "is there already, and is left as it is",
            str(folder),
            fix="go on with the sweep in it: --resume; or name another folder",
        )
    if folder.exists() and not file.is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("is no folder of a sweep, and is left as it is", str(folder), fix="name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(file, _read(file, rerun=rerun) if file.is_file() else ())
    try:
        yield journal
    finally:
        journal.close()


_KEY_MARK, _PLAN_MARK = b'{"key":"', b'","plan":'
"""Text before the key, and between key and plan."""


def _line(key: str, plan: str) -> bytes:
    rest = b"".join((_KEY_MARK, key.encode(), _PLAN_MARK, plan.encode(), b"}"))
    return sha256(rest).hexdigest().encode() + b" " + rest + b"\n"


def _read(file: Path, *, rerun: bool) -> Iterator[tuple[str, str]]:
    """Yield key and plan of every intact line."""
    with file.open("rb") as lines:
        for line in lines:
            told, _, rest = line.rstrip(b"\n").partition(b" ")
            if not line.endswith(b"}\n") or sha256(rest).hexdigest().encode() != told:
                continue
            key, between, plan = rest.removeprefix(_KEY_MARK)[:-1].partition(_PLAN_MARK)
            try:
                known = StoredScenario.model_validate_json(plan)
            except ValidationError:
                continue
            if between and not (rerun and known.told.failed):
                yield key.decode(), plan.decode()


def put_in_order(folder: Path, keys: Iterable[str], journal: Journal) -> None:
    """Rewrite the journal of a finished sweep with its scenarios in order, and nothing else.

    Raises:
        OSError: If it can't be written.
    """
    replace_file(folder / JOURNAL, (_line(key, journal.plan(key)) for key in dict.fromkeys(keys)))
