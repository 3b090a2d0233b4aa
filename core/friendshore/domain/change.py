"""One alteration of a case's facts: what scenarios, bills, repairs and stress tests are lists of."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from pydantic import Field, model_validator

from .base import Number, Record
from .facts import Status


class Change(Record):
    """One alteration. Exactly one of the subjects is named; the other fields say how it changes."""

    enable: str = ""
    """Rule or bill to switch on: its pending and unknown phases bite; a bill's changes apply."""
    disable: str = ""
    """Rule to switch off, altogether or within `from` and `until`."""
    move: str = ""
    """Rule whose phases start no earlier than `from`, or end no later than `until`."""
    remove: str = ""
    """Offer, facility, supplier, country (`country:CN`) or catalog (`catalog:world`) taken away, from `from` on."""
    price: str = ""
    """Offer, material or benchmark whose price becomes `factor` times itself."""
    capacity: str = ""
    """Facility whose capacity becomes `factor` times itself, takes status `status`, or starts `delay` months later."""
    demand: str = ""
    """Demand, material or end use whose quantity becomes `factor` times itself."""
    accept: Status | None = None
    """Capacity status that counts for `factor` from now on."""
    factor: Number | None = None
    """Multiplier."""
    status: Status | None = None
    """New status of a capacity."""
    delay: Number | None = None
    """Months by which a capacity starts later."""
    start: date | None = Field(default=None, alias="from")
    """First day."""
    end: date | None = Field(default=None, alias="until")
    """Last day."""
    why: str = ""
    """Reason, for the reader."""

    SUBJECTS: ClassVar[tuple[str, ...]] = (
        "enable", "disable", "move", "remove", "price", "capacity", "demand", "accept",
    )  # fmt: skip

    model_config = {**Record.model_config, "populate_by_name": True, "serialize_by_alias": True}

    @property
    def subject(self) -> str:
        """Which of the subjects it names."""
        return next(name for name in self.SUBJECTS if getattr(self, name))

    @model_validator(mode="after")
    def _one_subject(self) -> Change:
        named = [name for name in self.SUBJECTS if getattr(self, name)]
        if len(named) != 1:
            raise ValueError(f"exactly one of {', '.join(self.SUBJECTS)} is needed, found {', '.join(named) or 'none'}")
        if named[0] in ("price", "demand", "accept") and self.factor is None:
            raise ValueError(f"`{named[0]}` needs `factor`")
        if named[0] == "move" and self.start is None and self.end is None:
            raise ValueError("`move` needs `from` or `until`")
        if named[0] == "capacity" and self.factor is None and self.status is None and self.delay is None:
            raise ValueError("`capacity` needs `factor`, `status` or `delay`")
        if self.start is not None and self.end is not None and self.start > self.end:
            raise ValueError(f"`until` ({self.end}) is before `from` ({self.start})")
        if self.accept in (Status.SUPERSEDED, Status.EVENT):
            raise ValueError(f"`{self.accept}` capacity never counts")
        if self.accept is not None and self.factor is not None and self.factor > 1:
            raise ValueError(f"no more than all of a capacity can count: `factor` is {self.factor.normalize():f}")
        return self
