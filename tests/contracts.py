"""Import contracts of our own, for import-linter."""

from __future__ import annotations

from typing import Any

import grimp
from importlinter import Contract, ContractCheck, fields, output


class PublicModules(Contract):
    """Plugins import only public modules of the kernel.

    Options:
        kernel: The package of the kernel.
        public: Its public modules. `kernel.package.*` stands for the modules directly in a package.
    """

    type_name = "public_modules"
    kernel: Any = fields.StringField()
    public: Any = fields.ListField(subfield=fields.StringField())

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """Find the private modules that plugins import, and the public modules that don't exist."""
        names = {name.removesuffix(".*") for name in self.public}
        folders = {name.removesuffix(".*") for name in self.public if name.endswith(".*")}
        kernel = {module for module in graph.modules if module == self.kernel or module.startswith(f"{self.kernel}.")}
        private = [
            (importer, module)
            for module in sorted(kernel)
            for importer in sorted(graph.find_modules_that_directly_import(module) - kernel)
            if module not in names and module.rpartition(".")[0] not in folders
        ]
        missing = sorted(names - graph.modules)
        return ContractCheck(kept=not private and not missing, metadata={"private": private, "missing": missing})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print what breaks the contract."""
        for importer, module in check.metadata["private"]:
            output.print_error(f"{importer} imports {module}, which isn't public.")
        for module in check.metadata["missing"]:
            output.print_error(f"{module} is listed as public and doesn't exist.")
