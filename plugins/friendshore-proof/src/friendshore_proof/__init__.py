"""Proofs for friendshore: certificates of optimality, exact bounds, and signatures of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from friendshore.hookspecs import hookimpl

if TYPE_CHECKING:
    from friendshore.cli import Command
    from friendshore.recommend import RunChecker


@hookimpl
def friendshore_checks() -> list[RunChecker]:
    from .checks import OptimalityCheck, SignatureCheck

    return [OptimalityCheck(), SignatureCheck()]


@hookimpl
def friendshore_commands() -> list[Command]:
    from friendshore.cli import Command

    from .command import sign

    return [Command("sign", sign)]
