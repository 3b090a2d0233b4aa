"""The day on which something is made or asked: the only place that reads the clock for it."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime

EPOCH = "SOURCE_DATE_EPOCH"
"""Seconds since 1970 that stand for now, so that what is made again is the same: https://reproducible-builds.org/specs/source-date-epoch/"""


def today() -> date:
    """Today, or the day that `SOURCE_DATE_EPOCH` says in the environment. No plan depends on it: it says how old the data are."""
    told = os.environ.get(EPOCH, "")
    if told.isdecimal():
        return datetime.fromtimestamp(int(told), UTC).date()
    return datetime.now().astimezone().date()
