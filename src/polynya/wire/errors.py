"""The one error of the wire layer."""

from __future__ import annotations

from polynya.errors import PolynyaError


class WireError(PolynyaError):
    """Bytes or values that the protocol does not allow.

    `rule` names the broken rule (kebab-case, the same in both languages and in spec/vectors).
    """

    code = "wire"

    def __init__(self, rule: str, detail: str = "") -> None:
        super().__init__(f"{rule}: {detail}" if detail else rule)
        self.rule = rule
        self.detail = detail
