"""Supplier declarations as facts of offers, and government forms with the proof of every row: a plugin for friendshore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from friendshore.hookspecs import hookimpl

if TYPE_CHECKING:
    from friendshore.recommend import RunChecker

    from .catenax import CatenaReader
    from .declarations import DeclaredReader
    from .dossier import DossierQuestion


@hookimpl
def friendshore_readers() -> list[DeclaredReader | CatenaReader]:
    from .catenax import CatenaReader
    from .declarations import DeclaredReader

    return [DeclaredReader(), CatenaReader()]


@hookimpl
def friendshore_questions() -> list[DossierQuestion]:
    from .dossier import DossierQuestion

    return [DossierQuestion()]


@hookimpl
def friendshore_checks() -> list[RunChecker]:
    from .checks import FormCheck

    return [FormCheck()]
