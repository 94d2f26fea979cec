"""The errors of MLS. `rule` names the broken rule (RFC section and word, the same in both languages)."""

from __future__ import annotations

from polynya.errors import PolynyaError


class MlsError(PolynyaError):
    """A message, key package or request that RFC 9420 or the state of the group does not allow."""

    code = "mls"

    def __init__(self, rule: str, detail: str = "") -> None:
        super().__init__(f"{rule}: {detail}" if detail else rule)
        self.rule = rule
        self.detail = detail


class MalformedError(MlsError):
    """Bytes that are not the canonical encoding of what was expected."""

    code = "malformed"


class WrongEpochError(MlsError):
    """A message of an epoch that this group is not in, or whose keys are gone."""

    code = "wrong-epoch"


class ReplayedError(MlsError):
    """A message whose key was used or dropped: it was opened before, or is too old or too far ahead."""

    code = "replayed"


class UnknownProposalError(MlsError):
    """A commit names a proposal by reference that was not received."""

    code = "unknown-proposal"


class PathError(MlsError):
    """A commit passed every public check, and this member alone cannot follow it: it must be added again."""

    code = "path"


class RemovedError(MlsError):
    """The commit removes this member."""

    code = "removed"
