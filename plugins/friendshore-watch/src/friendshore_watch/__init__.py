"""Comparison of two editions of law or data over many cases: the command `watch` for friendshore."""

from __future__ import annotations

from friendshore.cli import Command
from friendshore.hookspecs import hookimpl

from .cases import watch
from .editions import Edition, Editions, editions_of
from .records import CaseWatched, Flip, OfferChange, Watched

__all__ = [
    "CaseWatched",
    "Edition",
    "Editions",
    "Flip",
    "OfferChange",
    "Watched",
    "editions_of",
    "friendshore_commands",
    "watch",
]


@hookimpl
def friendshore_commands() -> list[Command]:
    from .command import watch as command

    return [Command("watch", command)]
