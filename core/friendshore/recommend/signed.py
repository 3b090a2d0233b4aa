"""The check of a run's signature."""

from __future__ import annotations

from ..run.signing import signature
from .checks import CheckAnswer, CheckRequest, RunChecker


class SignatureCheck(RunChecker):
    """Checks a run's signature against a public key, if one is given."""

    name = "signature"

    def check(self, asked: CheckRequest) -> CheckAnswer:
        """Check the signature.

        Raises:
            InputError: If the key can't be read, or `cryptography` isn't installed.
        """
        text, findings = signature(asked.stored.folder, asked.signed_by)
        return CheckAnswer(tuple(findings), sentences=(text,), data={"signature": text})
