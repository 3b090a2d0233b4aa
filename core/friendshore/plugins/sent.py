"""What goes to a worker: with the software that whoever sends it has, so that a worker that has other software refuses it before it looks inside."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from contextlib import ExitStack
from importlib.metadata import version

from ..errors import InputError
from ..rules.base import Rule
from .attribution import owner_of_package
from .files import digest_of, package_files
from .interface import OWN, package_of
from .running import have_run, running

Software = dict[str, tuple[str, str]]
"""What a worker must have, by distribution, of a plugin by import package -> in words, and of a plugin the digest over all its files."""


def code_of(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Import packages of the plugins whose code some rules run, in order."""
    return tuple(sorted({package_of(type(rule)) for rule in rules} & {*have_run()}))


def packed(what: object, rules: Iterable[Rule]) -> bytes:
    """Something as it is sent, with the code that it and its rules need: a worker must have the same. Catalogs and packs go along with the facts."""
    packages = code_of(rules)
    sender = {package_of(type(what))} - {OWN}
    return pickle.dumps((packages, _software({*packages, *sender}), pickle.dumps(what)))


def unpacked(sent: bytes) -> object:
    """What was sent; code of plugins that it needs counts as run here.

    Raises:
        InputError: if the software here is not that of whoever sent it.
    """
    packages, expected, what = pickle.loads(sent)  # noqa: S301 - sent by whoever runs code here anyway
    here = _software(expected.keys() - versions().keys())
    if here != expected:
        other = [name for name in expected if here[name] != expected[name]]
        raise InputError(
            "a worker has other software than whoever asks it, and could plan otherwise",
            found=", ".join(_told(name, here, expected) for name in other),
            expected=", ".join(_told(name, expected, here) for name in other),
            fix="install the same there",
        )
    with ExitStack() as stack:
        for package in packages:
            stack.enter_context(running(package, "its import", whole=True))
        return pickle.loads(what)  # noqa: S301 - likewise


def versions() -> dict[str, str]:
    """What a plan turns on beside its facts and plugins: friendshore and what solves."""
    return {name: version(name) for name in ("friendshore", "highspy", "ortools")}


def _software(packages: Iterable[str]) -> Software:
    found: Software = {name: (f"{name} {number}", "") for name, number in versions().items()}
    for package in sorted(packages):
        info = owner_of_package(package, f"no distribution with the package `{package}`")
        found[package] = info.label, digest_of(package_files(info))
    return found


def _told(name: str, those: Software, others: Software) -> str:
    """One of these with its version; where the others have the same version, with the beginning of the digest over its files."""
    label, digest = those[name]
    return f"{label} with files {digest[:12]}" if label == others[name][0] else label
