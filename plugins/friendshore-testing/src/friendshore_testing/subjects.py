"""Subjects of checks by name or folder: a plugin, a catalog, or a rule pack, installed or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from pydantic.errors import PydanticUserError

from friendshore.catalog import Once, read_catalogs
from friendshore.domain.facts import Catalog, Material
from friendshore.errors import Diagnostic, FriendshoreError, InputError, PluginError
from friendshore.plugins import (
    PluginInfo,
    PluginStatus,
    Registry,
    importable,
    is_source,
    is_wheel,
    newest,
    source_plugins,
    wheel_plugins,
)
from friendshore.plugins.loading import load
from friendshore.plugins.manifest import CATALOG_FILE, Plugin
from friendshore.plugins.packages import MANIFEST
from friendshore.reading.workbook import is_workbook, stated
from friendshore.rules.base import Rule
from friendshore.rules.pack import PACK_FILE, read_pack, stated_name

from .catalogs import CatalogTrial
from .check import Check, NotLookedAt
from .hooks import (
    case_format_checks,
    case_pack_checks,
    command_checks,
    format_checks,
    question_checks,
    reader_checks,
    run_check_checks,
)
from .packs import PackTrial, masses_in_kilograms
from .rules import Trial
from .worlds import declared_in


def checks_of(subject: str | Path, registry: Registry | None = None) -> tuple[Check, ...]:
    """Return all checks of a plugin, a catalog, or a rule pack. Each check reads its subject only when it runs.

    Args:
        subject: A folder with a plugin's source or package, a catalog, or a rule pack; a plugin's wheel; a catalog's workbook; or the name of an
            installed plugin.
        registry: Installed plugins. None means to find them.

    Raises:
        InputError: If the folder is none of these.
        PluginError: If no plugin of the name is installed.
    """
    known = registry if registry is not None else Registry.discover()
    folder = Path(subject)
    if folder.is_dir():
        return _of_folder(folder, known)
    if is_workbook(folder) and folder.is_file():
        return _of_catalog(folder, stated(folder), known)
    if is_wheel(folder):
        return _of_plugins(wheel_plugins(folder), known)
    if isinstance(subject, Path) or "/" in subject or subject.startswith("."):
        raise InputError("there is no such folder, workbook or wheel", str(subject), fix="check the path")
    return tuple(check for info in known.named(subject) for check in _of_plugin(info, _Installed(known)))


def _of_folder(folder: Path, known: Registry) -> tuple[Check, ...]:
    installed = _Installed(known)
    if (folder / CATALOG_FILE).is_file():
        name = stated_name(folder / CATALOG_FILE, "name")
        return CatalogTrial(
            name, partial(known.catalog_folder, f"{folder.resolve()}"), known, installed.catalogs
        ).checks()
    if (folder / PACK_FILE).is_file():
        name = stated_name(folder / PACK_FILE, "id")
        return PackTrial(name, partial(read_pack, folder), known, installed.materials).checks()
    if not is_source(folder):
        expected = (
            f"a plugin (pyproject.toml or friendshore.toml), a catalog ({CATALOG_FILE}) or a rule pack ({PACK_FILE})"
        )
        raise InputError("is no folder that can be checked", str(folder), expected=expected)
    return _of_plugins(source_plugins(folder), known)


def _of_plugins(plugins: Sequence[Plugin], known: Registry) -> tuple[Check, ...]:
    """Return the checks of plugins that aren't installed, together with the installed ones."""
    registry = known.beside(plugins)
    packages = {plugin.info.package for plugin in plugins}
    mine = [info for info in registry.plugins if info.package in packages]
    with importable(plugins):
        checks = [check for info in mine for check in _of_plugin(info, _Installed(registry))]
    return tuple(replace(check, look=partial(_looked, check, plugins)) for check in checks)


def _looked(check: Check, plugins: Sequence[Plugin]) -> list[Diagnostic]:
    with importable(plugins):
        return list(check.look())


def _of_catalog(place: Path, name: str, known: Registry) -> tuple[Check, ...]:
    find = partial(known.catalog_folder, f"{place.resolve()}")
    return CatalogTrial(name, find, known, _Installed(known).catalogs).checks()


@dataclass(frozen=True, eq=False)
class _Installed:
    """Contents of the installed plugins, read on first use."""

    registry: Registry
    read: dict[str, Catalog] = field(default_factory=dict)

    def catalogs(self) -> Sequence[Catalog]:
        """All readable installed catalogs."""
        return list(self._catalogs.values())

    def materials(self) -> Sequence[Material]:
        """All their materials."""
        return list({m.id: m for catalog in self.catalogs() for m in catalog.materials}.values())

    @cached_property
    def _catalogs(self) -> dict[str, Catalog]:
        found: dict[str, Catalog] = {}
        once = Once()
        for name in self.registry.catalogs:
            try:
                ref = self.registry.catalog_folder(name)
                read = read_catalogs([ref], self.registry.catalog_folder, once=once)
            except FriendshoreError:
                continue  # what is wrong with another catalog is that one's own finding
            found[name] = next(catalog for catalog in read if catalog.name == ref.name)
        return found


def _of_plugin(info: PluginInfo, installed: _Installed) -> tuple[Check, ...]:
    registry = installed.registry
    subject = f"plugin `{info.distribution}`"

    def manifest() -> Iterator[Diagnostic]:
        yield from registry.problems(info)
        if not (info.error or info.brings or info.columns or info.case_packs):
            fix = (
                "announce its catalogs, packs, kinds of rules, questions, readers, commands, formats, checks, formats of cases, "
                "columns of facts or rule packs of cases"
            )
            yield Diagnostic("brings nothing", info.file, fix=fix)

    def interface() -> Iterator[Diagnostic]:
        if info.notice:
            fix = f"write `api = {newest().version}`, and what that version asks for"
            yield Diagnostic(
                f"{info.label} is written for a version that is {info.api_end}", info.file, None, "api", str(info.api),
                str(newest()), fix,
            )  # fmt: skip

    says = "The manifest is of a version of the interface that friendshore takes, and all that it names is there, under names of its own."
    checks = [Check(subject, "manifest", says, manifest)]
    if info.error and not info.brings:
        return tuple(checks)
    says = "It is written for the newest version of the interface: an earlier one has an end."
    checks.append(Check(subject, "interface", says, interface, note=True))
    says = "Its code can be imported within ten seconds, and its hooks yield what the manifest announces."
    if info.status is PluginStatus.BROKEN:
        return (*checks, Check(subject, "code", says, _behind_the_manifest))
    failure = _failure(info, registry)
    checks.append(
        Check(
            subject, "code", says, partial(_code, info, registry) if failure is None else lambda: (_by_author(failure),)
        )
    )
    if failure is not None:
        return tuple(checks)
    registry, faults = _with_example(info, registry)
    if info.settings:
        checks.append(
            Check(subject, "settings", "Its model takes the example of settings that it gives.", lambda: faults)
        )
    of_each = _of_all(info, replace(installed, registry=registry))
    return (*checks, *(check for of_one in of_each for check in of_one))


def _with_example(info: PluginInfo, registry: Registry) -> tuple[Registry, Sequence[Diagnostic]]:
    """Return the registry with the first example of the plugin's settings applied, if its model has one, and the errors in the example."""
    if not info.settings:
        return registry, ()
    try:
        examples = registry.settings_model(info).model_json_schema().get("examples", [])
    except PydanticUserError:  # a field of a type that JSON has no schema for
        return registry, ()
    except PluginError as error:
        return registry, error.problems
    known, errors = registry.setting({info.package: examples[0]} if examples else {})
    return known, [problem for error in errors for problem in error.problems]


def _of_all(info: PluginInfo, installed: _Installed) -> Iterator[Sequence[Check]]:
    """Yield the checks of each part of a plugin."""
    registry = installed.registry
    yield from (_of_kind(name, installed) for name in info.kinds)
    yield from (question_checks(question.name, registry) for question in info.questions)
    yield from (reader_checks(name, info, registry) for name in info.readers)
    yield from (command_checks(command.name, info, registry) for command in info.commands)
    yield from (format_checks(form.name, registry) for form in info.formats)
    yield from (run_check_checks(check.name, registry) for check in info.checks)
    yield from (case_format_checks(form.name, registry) for form in info.case_formats)
    if info.case_packs:
        yield case_pack_checks(info, registry)
    for name in info.packs:
        yield PackTrial(name, partial(registry.pack, name), registry, installed.materials).checks()
    for name in info.catalogs:
        yield CatalogTrial(name, partial(registry.catalog_folder, name), registry, installed.catalogs).checks()


def _failure(info: PluginInfo, registry: Registry) -> Diagnostic | None:
    """Return the error when its code is imported, or None. The import runs in another process, so that it can't hang this one."""
    entry = registry.code(info) if registry.runs(info) else None
    return None if entry is None else load(info, entry).problem


def _code(info: PluginInfo, registry: Registry) -> Iterator[Diagnostic]:
    """Yield the errors when everything that it declares is requested."""
    asked: list[tuple[Callable[[str], object], tuple[str, ...]]] = [
        (registry.kind, info.kinds), (registry.pack, info.packs), (registry.catalog_folder, info.catalogs),
        (registry.question, tuple(question.name for question in info.questions)), (registry.reader, info.readers),
        (partial(registry.thing, "command"), tuple(one.name for one in info.commands)),
        (partial(registry.thing, "format"), tuple(one.name for one in info.formats)),
        (partial(registry.thing, "check"), tuple(one.name for one in info.checks)),
        (partial(registry.thing, "case format"), tuple(one.name for one in info.case_formats)),
    ]  # fmt: skip
    seen: set[Diagnostic] = set()
    for ask, names in asked:
        for name in names:
            try:
                ask(name)
            except PluginError as error:
                yield from (_by_author(problem) for problem in error.problems if problem not in seen)
                seen.update(error.problems)
            except InputError:
                continue  # its file is looked at by the checks of the pack or catalog


def _behind_the_manifest() -> Iterator[Diagnostic]:
    raise NotLookedAt("the plugin cannot be used: see `manifest`")


def _by_author(problem: Diagnostic) -> Diagnostic:
    """Return the problem for the plugin's author, with the fix instead of the address for reports."""
    return replace(problem, fix=f"mend the code, or have {MANIFEST} say no more and no less than it brings")


def _of_kind(name: str, installed: _Installed) -> tuple[Check, ...]:
    registry = installed.registry
    subject = f"kind of rule `{name}`"

    def made() -> list[Rule]:
        return [
            registry.rule({"id": f"{name}-{number}", **data}, subject)
            for number, data in enumerate(_data(name, registry), 1)
        ]

    def can_be_made() -> Iterator[Diagnostic]:
        try:
            made()
        except PluginError as error:
            raise NotLookedAt("its code is unavailable: see `code`") from error
        except InputError as error:
            fix = 'add examples of it to the class: model_config = {"json_schema_extra": {"examples": [{...}]}}'
            yield from error.problems
            yield Diagnostic("no rule of this kind can be made without more, so none is tried", subject, fix=fix)

    def masses() -> Iterator[Diagnostic]:
        try:
            pairs = [(data, masses_in_kilograms(data)) for data in _data(name, registry)]
            changed = [n for n, (one, other) in enumerate(pairs, 1) if rule_of(one) != rule_of(other)]
        except FriendshoreError as error:
            raise NotLookedAt("the rules cannot be made") from error
        for number in changed:
            fix = "read masses by friendshore.domain.quantities.parse_mass"
            yield Diagnostic(f"its example {number} is another rule with tonnes written as kilograms", subject, fix=fix)

    def rule_of(data: Mapping[str, object]) -> Rule:
        return registry.rule({"id": name, **data}, subject)

    says = "A rule of the kind can be made: of its examples, or of nothing but its defaults."
    own = (
        Check(subject, "made", says, can_be_made),
        Check(subject, "masses", "A mass in kilograms means the same as in tonnes.", masses),
    )
    return (*own, *Trial(subject, made, installed.materials, columns=declared_in(registry)).checks())


def _data(name: str, registry: Registry) -> list[dict[str, object]]:
    """Return the examples in the JSON schema of a rule kind, or one rule with defaults only if there are none."""
    try:
        given = registry.kind(name).model_json_schema().get("examples", [])
    except PydanticUserError:  # a field of a type that JSON has no schema for
        given = []
    return [{"kind": name, **example} for example in given if isinstance(example, dict)] or [{"kind": name}]
