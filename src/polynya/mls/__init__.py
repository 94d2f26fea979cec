"""MLS (RFC 9420) as a library of its own; docs/mls.md is its guide. `group` describes the way in.

Names are loaded when they are first used, so that importing one module does not load the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polynya.crypto.random import Random as Random
    from polynya.mls.checks import MAX_LIFETIME as MAX_LIFETIME
    from polynya.mls.committing import LeafChange as LeafChange
    from polynya.mls.credential import BasicCredential as BasicCredential
    from polynya.mls.credential import Credential as Credential
    from polynya.mls.credential import X509Credential as X509Credential
    from polynya.mls.described import DescribedGroup as DescribedGroup
    from polynya.mls.described import read_group_info as read_group_info
    from polynya.mls.errors import MalformedError as MalformedError
    from polynya.mls.errors import MlsError as MlsError
    from polynya.mls.errors import PathError as PathError
    from polynya.mls.errors import RemovedError as RemovedError
    from polynya.mls.errors import ReplayedError as ReplayedError
    from polynya.mls.errors import UnknownProposalError as UnknownProposalError
    from polynya.mls.errors import WrongEpochError as WrongEpochError
    from polynya.mls.extensions import VERSION_MLS10 as VERSION_MLS10
    from polynya.mls.extensions import Extension as Extension
    from polynya.mls.extensions import ExternalSender as ExternalSender
    from polynya.mls.extensions import RequiredCapabilities as RequiredCapabilities
    from polynya.mls.extensions import external_senders as external_senders
    from polynya.mls.extensions import external_senders_extension as external_senders_extension
    from polynya.mls.extensions import find as find_extension
    from polynya.mls.extensions import required_capabilities as required_capabilities
    from polynya.mls.framing import APPLICATION as CONTENT_APPLICATION
    from polynya.mls.framing import COMMIT as CONTENT_COMMIT
    from polynya.mls.framing import EXTERNAL as SENDER_EXTERNAL
    from polynya.mls.framing import MEMBER as SENDER_MEMBER
    from polynya.mls.framing import NEW_MEMBER_COMMIT as SENDER_NEW_MEMBER_COMMIT
    from polynya.mls.framing import NEW_MEMBER_PROPOSAL as SENDER_NEW_MEMBER_PROPOSAL
    from polynya.mls.framing import PROPOSAL as CONTENT_PROPOSAL
    from polynya.mls.framing import Sender as Sender
    from polynya.mls.group import Group as Group
    from polynya.mls.group import Joined as Joined
    from polynya.mls.group import PendingCommit as PendingCommit
    from polynya.mls.group import decode_key_package as decode_key_package
    from polynya.mls.group import verify_key_package as verify_key_package
    from polynya.mls.groupcontext import GroupContext as GroupContext
    from polynya.mls.keypackage import LAST_RESORT as LAST_RESORT
    from polynya.mls.keypackage import KeyPackage as KeyPackage
    from polynya.mls.keypackage import KeyPackageBundle as KeyPackageBundle
    from polynya.mls.keypackage import UnverifiedKeyPackage as UnverifiedKeyPackage
    from polynya.mls.keypackage import make_key_package as make_key_package
    from polynya.mls.leaf import Capabilities as Capabilities
    from polynya.mls.leaf import LeafNode as LeafNode
    from polynya.mls.leaf import Lifetime as Lifetime
    from polynya.mls.leaf import default_capabilities as default_capabilities
    from polynya.mls.messages import inspect as inspect
    from polynya.mls.proposal import Add as Add
    from polynya.mls.proposal import ExternalInit as ExternalInit
    from polynya.mls.proposal import GroupContextExtensions as GroupContextExtensions
    from polynya.mls.proposal import PreSharedKey as PreSharedKey
    from polynya.mls.proposal import Proposal as Proposal
    from polynya.mls.proposal import ReInit as ReInit
    from polynya.mls.proposal import Remove as Remove
    from polynya.mls.proposal import Update as Update
    from polynya.mls.proposals import Proposed as Proposed
    from polynya.mls.psk import APPLICATION as PSK_APPLICATION
    from polynya.mls.psk import BRANCH as PSK_BRANCH
    from polynya.mls.psk import REINIT as PSK_REINIT
    from polynya.mls.psk import ExternalPskId as ExternalPskId
    from polynya.mls.psk import PskId as PskId
    from polynya.mls.psk import ResumptionPskId as ResumptionPskId
    from polynya.mls.psk import resumption_key as resumption_key
    from polynya.mls.secrettree import MAX_AHEAD as MAX_AHEAD
    from polynya.mls.secrettree import MAX_SKIPPED as MAX_SKIPPED
    from polynya.mls.state import MAX_RESUMPTION_EPOCHS as MAX_RESUMPTION_EPOCHS
    from polynya.mls.succession import SameClient as SameClient
    from polynya.mls.suite import SUITES as SUITES
    from polynya.mls.suite import X25519 as X25519
    from polynya.mls.suite import X25519_CHACHA20 as X25519_CHACHA20
    from polynya.mls.suite import X_WING as X_WING
    from polynya.mls.suite import Suite as Suite
    from polynya.mls.suite import suite_of as suite_of
    from polynya.mls.tree import MAX_LEAVES as MAX_LEAVES
    from polynya.mls.views import ApplicationMessage as ApplicationMessage
    from polynya.mls.views import Member as Member
    from polynya.mls.views import MessageInfo as MessageInfo
    from polynya.mls.views import ReceivedProposal as ReceivedProposal
    from polynya.mls.views import VerifiedCommit as VerifiedCommit

_HOMES = {
    "polynya.crypto.random": ("Random",),
    "polynya.mls.checks": ("MAX_LIFETIME",),
    "polynya.mls.committing": ("LeafChange",),
    "polynya.mls.credential": (
        "BasicCredential",
        "Credential",
        "X509Credential",
    ),
    "polynya.mls.described": (
        "DescribedGroup",
        "read_group_info",
    ),
    "polynya.mls.errors": (
        "MalformedError",
        "MlsError",
        "PathError",
        "RemovedError",
        "ReplayedError",
        "UnknownProposalError",
        "WrongEpochError",
    ),
    "polynya.mls.extensions": (
        "VERSION_MLS10",
        "Extension",
        "ExternalSender",
        "RequiredCapabilities",
        "external_senders",
        "external_senders_extension",
        "required_capabilities",
    ),
    "polynya.mls.framing": ("Sender",),
    "polynya.mls.group": (
        "Group",
        "Joined",
        "PendingCommit",
        "decode_key_package",
        "verify_key_package",
    ),
    "polynya.mls.groupcontext": ("GroupContext",),
    "polynya.mls.keypackage": (
        "LAST_RESORT",
        "KeyPackage",
        "KeyPackageBundle",
        "UnverifiedKeyPackage",
        "make_key_package",
    ),
    "polynya.mls.leaf": (
        "Capabilities",
        "LeafNode",
        "Lifetime",
        "default_capabilities",
    ),
    "polynya.mls.messages": ("inspect",),
    "polynya.mls.proposal": (
        "Add",
        "ExternalInit",
        "GroupContextExtensions",
        "PreSharedKey",
        "Proposal",
        "ReInit",
        "Remove",
        "Update",
    ),
    "polynya.mls.proposals": ("Proposed",),
    "polynya.mls.psk": (
        "ExternalPskId",
        "PskId",
        "ResumptionPskId",
        "resumption_key",
    ),
    "polynya.mls.secrettree": (
        "MAX_AHEAD",
        "MAX_SKIPPED",
    ),
    "polynya.mls.state": ("MAX_RESUMPTION_EPOCHS",),
    "polynya.mls.succession": ("SameClient",),
    "polynya.mls.suite": (
        "SUITES",
        "X25519",
        "X25519_CHACHA20",
        "X_WING",
        "Suite",
        "suite_of",
    ),
    "polynya.mls.tree": ("MAX_LEAVES",),
    "polynya.mls.views": (
        "ApplicationMessage",
        "Member",
        "MessageInfo",
        "ReceivedProposal",
        "VerifiedCommit",
    ),
}
_RENAMED = {
    "CONTENT_APPLICATION": ("polynya.mls.framing", "APPLICATION"),
    "CONTENT_COMMIT": ("polynya.mls.framing", "COMMIT"),
    "CONTENT_PROPOSAL": ("polynya.mls.framing", "PROPOSAL"),
    "PSK_APPLICATION": ("polynya.mls.psk", "APPLICATION"),
    "PSK_BRANCH": ("polynya.mls.psk", "BRANCH"),
    "PSK_REINIT": ("polynya.mls.psk", "REINIT"),
    "SENDER_EXTERNAL": ("polynya.mls.framing", "EXTERNAL"),
    "SENDER_MEMBER": ("polynya.mls.framing", "MEMBER"),
    "SENDER_NEW_MEMBER_COMMIT": ("polynya.mls.framing", "NEW_MEMBER_COMMIT"),
    "SENDER_NEW_MEMBER_PROPOSAL": ("polynya.mls.framing", "NEW_MEMBER_PROPOSAL"),
    "find_extension": ("polynya.mls.extensions", "find"),
}
_FOUND_IN = {name: (home, name) for home, names in _HOMES.items() for name in names} | _RENAMED

__all__ = [
    "CONTENT_APPLICATION",
    "CONTENT_COMMIT",
    "CONTENT_PROPOSAL",
    "LAST_RESORT",
    "MAX_AHEAD",
    "MAX_LEAVES",
    "MAX_LIFETIME",
    "MAX_RESUMPTION_EPOCHS",
    "MAX_SKIPPED",
    "PSK_APPLICATION",
    "PSK_BRANCH",
    "PSK_REINIT",
    "SENDER_EXTERNAL",
    "SENDER_MEMBER",
    "SENDER_NEW_MEMBER_COMMIT",
    "SENDER_NEW_MEMBER_PROPOSAL",
    "SUITES",
    "VERSION_MLS10",
    "X25519",
    "X25519_CHACHA20",
    "X_WING",
    "Add",
    "ApplicationMessage",
    "BasicCredential",
    "Capabilities",
    "Credential",
    "DescribedGroup",
    "Extension",
    "ExternalInit",
    "ExternalPskId",
    "ExternalSender",
    "Group",
    "GroupContext",
    "GroupContextExtensions",
    "Joined",
    "KeyPackage",
    "KeyPackageBundle",
    "LeafChange",
    "LeafNode",
    "Lifetime",
    "MalformedError",
    "Member",
    "MessageInfo",
    "MlsError",
    "PathError",
    "PendingCommit",
    "PreSharedKey",
    "Proposal",
    "Proposed",
    "PskId",
    "Random",
    "ReInit",
    "ReceivedProposal",
    "Remove",
    "RemovedError",
    "ReplayedError",
    "RequiredCapabilities",
    "ResumptionPskId",
    "SameClient",
    "Sender",
    "Suite",
    "UnknownProposalError",
    "UnverifiedKeyPackage",
    "Update",
    "VerifiedCommit",
    "WrongEpochError",
    "X509Credential",
    "decode_key_package",
    "default_capabilities",
    "external_senders",
    "external_senders_extension",
    "find_extension",
    "inspect",
    "make_key_package",
    "read_group_info",
    "required_capabilities",
    "resumption_key",
    "suite_of",
    "verify_key_package",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _FOUND_IN:
            raise AttributeError(f"module 'polynya.mls' has no attribute {name!r}")
        home, attribute = _FOUND_IN[name]
        value = getattr(import_module(home), attribute)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_FOUND_IN})
