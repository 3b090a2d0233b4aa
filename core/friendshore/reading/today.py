"""The day on which something is made or asked: the only place that reads the clock for it."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime

EPOCH = "SOURCE_DATE_EPOCH"
"""Seconds since 1970 that stand for now, so that what is made again is the same: https://reproducible-builds.org/specs/source-date-epoch/"""

_DIGITS = 11
"""Of seconds up to the year 5138; beyond the year 9999 there is no day."""


def today() -> date:
    """Today, or the day that `SOURCE_DATE_EPOCH` says in the environment. No plan depends on it: it says how old the data are."""
    told = os.environ.get(EPOCH, "")
    if told.isdecimal() and len(told) <= _DIGITS:
        return datetime.fromtimestamp(int(told), UTC).date()
    return datetime.now().astimezone().date()
