"""Checks of a plugin, catalog, or rule pack by its name or folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from pydantic.errors import PydanticUserError

from friendshore.catalog import CatalogCache, read_catalogs
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
from friendshore.reading.workbook import is_workbook, value_of_key
from friendshore.rules.base import Rule
from friendshore.rules.pack import PACK_FILE, read_pack, stated_name

from .catalogs import CatalogTrial
from .check import Check, CheckSkipped
from .generated_cases import declared_in
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
from .rules import RuleSetTrial


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
    installed = registry if registry is not None else Registry.discover()
    folder = Path(subject)
    if folder.is_dir():
        return _folder_checks(folder, installed)
    if is_workbook(folder) and folder.is_file():
        return _catalog_checks(folder, value_of_key(folder), installed)
    if is_wheel(folder):
        return _uninstalled_plugin_checks(wheel_plugins(folder), installed)
    if isinstance(subject, Path) or "/" in subject or subject.startswith("."):
        message = "there is no such folder, workbook, or wheel"
        raise InputError(message, str(subject), fix="check the path", code="FS505")
    return tuple(
        check for info in installed.named(subject) for check in _plugin_checks(info, _InstalledData(installed))
    )


def _folder_checks(folder: Path, registry: Registry) -> tuple[Check, ...]:
    data = _InstalledData(registry)
    if (folder / CATALOG_FILE).is_file():
        name = stated_name(folder / CATALOG_FILE, "name")
        return CatalogTrial(
            name, partial(registry.catalog_folder, f"{folder.resolve()}"), registry, data.catalogs
        ).checks()
    if (folder / PACK_FILE).is_file():
        name = stated_name(folder / PACK_FILE, "id")
        return PackTrial(name, partial(read_pack, folder), registry, data.materials).checks()
    if not is_source(folder):
        expected = (
            f"a plugin (pyproject.toml or friendshore.toml), a catalog ({CATALOG_FILE}), or a rule pack ({PACK_FILE})"
        )
        raise InputError("the folder contains nothing to check", str(folder), expected=expected, code="FS406")
    return _uninstalled_plugin_checks(source_plugins(folder), registry)


def _uninstalled_plugin_checks(plugins: Sequence[Plugin], registry: Registry) -> tuple[Check, ...]:
    combined = registry.beside(plugins)
    packages = {plugin.info.package for plugin in plugins}
    own_plugins = [info for info in combined.plugins if info.package in packages]
    with importable(plugins):
        checks = [check for info in own_plugins for check in _plugin_checks(info, _InstalledData(combined))]
    return tuple(replace(check, find_problems=partial(_findings, check, plugins)) for check in checks)


def _findings(check: Check, plugins: Sequence[Plugin]) -> list[Diagnostic]:
    with importable(plugins):
        return list(check.find_problems())


def _catalog_checks(path: Path, name: str, registry: Registry) -> tuple[Check, ...]:
    find = partial(registry.catalog_folder, f"{path.resolve()}")
    return CatalogTrial(name, find, registry, _InstalledData(registry).catalogs).checks()


@dataclass(frozen=True, eq=False)
class _InstalledData:
    """Catalogs and materials of the installed plugins, read on first use. Unreadable catalogs are left out."""

    registry: Registry
    read: dict[str, Catalog] = field(default_factory=dict)

    def catalogs(self) -> Sequence[Catalog]:
        return list(self._catalog_by_name.values())

    def materials(self) -> Sequence[Material]:
        return list({m.id: m for catalog in self.catalogs() for m in catalog.materials}.values())

    @cached_property
    def _catalog_by_name(self) -> dict[str, Catalog]:
        catalogs: dict[str, Catalog] = {}
        cache = CatalogCache()
        for name in self.registry.catalogs:
            try:
                ref = self.registry.catalog_folder(name)
                read_with_required = read_catalogs([ref], self.registry.catalog_folder, cache=cache)
            except FriendshoreError:
                continue  # errors in another catalog are findings of that one
            catalogs[name] = next(catalog for catalog in read_with_required if catalog.name == ref.name)
        return catalogs


def _plugin_checks(info: PluginInfo, installed: _InstalledData) -> tuple[Check, ...]:
    registry = installed.registry
    subject = f"plugin `{info.distribution}`"

    def manifest_problems() -> Iterator[Diagnostic]:
        yield from registry.problems(info)
        if not (info.error or info.brings or info.columns or info.case_packs):
            fix = 'list what it contains, such as `catalogs = ["catalog"]` or `kinds = ["my-rule"]`'
            yield Diagnostic("the manifest lists nothing", info.file, fix=fix, code="FS958")

    def interface_problems() -> Iterator[Diagnostic]:
        if info.notice:
            fix = f"write `api = {newest().version}`, and follow that version"
            message = f"{info.label} is written for a version that is {info.api_end}"
            found, expected = str(info.api), str(newest())
            yield Diagnostic(message, info.file, None, "api", found, expected, fix, code="FS958")

    text = (
        "The manifest has a supported version of the interface, everything that it names exists, and no name is taken."
    )
    checks = [Check(subject, "manifest", text, manifest_problems)]
    if info.error and not info.brings:
        return tuple(checks)
    text = "It is written for the newest version of the interface. Support of earlier ones ends."
    checks.append(Check(subject, "interface", text, interface_problems, note=True))
    text = "Its code can be imported within ten seconds, and its hooks yield what the manifest announces."
    if info.status is PluginStatus.BROKEN:
        return (*checks, Check(subject, "code", text, _skip_unusable))
    failure = _import_error(info, registry)
    checks.append(
        Check(
            subject,
            "code",
            text,
            partial(_code_problems, info, registry) if failure is None else lambda: (_for_author(failure),),
        )
    )
    if failure is not None:
        return tuple(checks)
    registry, setting_problems = _with_example(info, registry)
    if info.settings:
        checks.append(
            Check(subject, "settings", "Its settings model accepts its own example.", lambda: setting_problems)
        )
    part_checks = _part_checks(info, replace(installed, registry=registry))
    return (*checks, *(check for group in part_checks for check in group))


def _with_example(info: PluginInfo, registry: Registry) -> tuple[Registry, Sequence[Diagnostic]]:
    """Return the registry with the first example of the plugin's settings applied, if its model has one, and the errors in the example."""
    if not info.settings:
        return registry, ()
    try:
        examples = registry.settings_model(info).model_json_schema().get("examples", [])
    except PydanticUserError:  # a field's type has no JSON schema
        return registry, ()
    except PluginError as error:
        return registry, error.problems
    known, errors = registry.setting({info.package: examples[0]} if examples else {})
    return known, [problem for error in errors for problem in error.problems]


def _part_checks(info: PluginInfo, installed: _InstalledData) -> Iterator[Sequence[Check]]:
    registry = installed.registry
    yield from (_kind_checks(name, installed) for name in info.kinds)
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


def _import_error(info: PluginInfo, registry: Registry) -> Diagnostic | None:
    """Return the error when its code is imported, or None. The import runs in another process, so that it can't hang this one."""
    entry = registry.code(info) if registry.runs(info) else None
    return None if entry is None else load(info, entry).problem


def _code_problems(info: PluginInfo, registry: Registry) -> Iterator[Diagnostic]:
    names_by_loader: list[tuple[Callable[[str], object], tuple[str, ...]]] = [
        (registry.kind, info.kinds), (registry.pack, info.packs), (registry.catalog_folder, info.catalogs),
        (registry.question, tuple(question.name for question in info.questions)), (registry.reader, info.readers),
        (partial(registry.thing, "command"), tuple(item.name for item in info.commands)),
        (partial(registry.thing, "format"), tuple(item.name for item in info.formats)),
        (partial(registry.thing, "check"), tuple(item.name for item in info.checks)),
        (partial(registry.thing, "case format"), tuple(item.name for item in info.case_formats)),
    ]  # fmt: skip
    reported: set[Diagnostic] = set()
    for load_part, names in names_by_loader:
        for name in names:
            try:
                load_part(name)
            except PluginError as error:
                yield from (_for_author(problem) for problem in error.problems if problem not in reported)
                reported.update(error.problems)
            except InputError:
                continue  # the checks of the pack or catalog report this


def _skip_unusable() -> Iterator[Diagnostic]:
    raise CheckSkipped("the plugin can't be used, see check `manifest`")


def _for_author(problem: Diagnostic) -> Diagnostic:
    return replace(problem, fix=f"correct the code, or make {MANIFEST} list exactly what it contains")


def _kind_checks(name: str, installed: _InstalledData) -> tuple[Check, ...]:
    registry = installed.registry
    subject = f"kind of rule `{name}`"

    def rules_of_examples() -> list[Rule]:
        return [
            registry.rule({"id": f"{name}-{number}", **data}, subject)
            for number, data in enumerate(_example_data(name, registry), 1)
        ]

    def creation_problems() -> Iterator[Diagnostic]:
        try:
            rules_of_examples()
        except PluginError as error:
            raise CheckSkipped("its code can't be used, see check `code`") from error
        except InputError as error:
            fix = 'add examples to the class: model_config = {"json_schema_extra": {"examples": [{...}]}}'
            yield from error.problems
            message = "a rule of this kind can't be created from its defaults, so none is tested"
            yield Diagnostic(message, subject, fix=fix, code="FS958")

    def unit_problems() -> Iterator[Diagnostic]:
        try:
            pairs = [(data, masses_in_kilograms(data)) for data in _example_data(name, registry)]
            changed_numbers = [n for n, (one, other) in enumerate(pairs, 1) if rule_of(one) != rule_of(other)]
        except FriendshoreError as error:
            raise CheckSkipped("the rules can't be created") from error
        for number in changed_numbers:
            fix = "read masses with friendshore.domain.quantities.parse_mass"
            message = f"its example {number} makes another rule if tonnes are written as kilograms"
            yield Diagnostic(message, subject, fix=fix, code="FS953")

    def rule_of(data: Mapping[str, object]) -> Rule:
        return registry.rule({"id": name, **data}, subject)

    text = "A rule of the kind can be created from its examples or defaults."
    kind_checks = (
        Check(subject, "made", text, creation_problems),
        Check(subject, "masses", "A mass in kilograms means the same as in tonnes.", unit_problems),
    )
    return (
        *kind_checks,
        *RuleSetTrial(subject, rules_of_examples, installed.materials, columns=declared_in(registry)).checks(),
    )


def _example_data(name: str, registry: Registry) -> list[dict[str, object]]:
    """Return the examples in the JSON schema of a rule kind, or one rule with defaults only if there are none."""
    try:
        examples = registry.kind(name).model_json_schema().get("examples", [])
    except PydanticUserError:  # a field's type has no JSON schema
        examples = []
    return [{"kind": name, **example} for example in examples if isinstance(example, dict)] or [{"kind": name}]
