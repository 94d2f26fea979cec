"""What the client raises: one root, codes from one table, messages that say what to do."""

from __future__ import annotations

from polynya.errors import PolynyaError

MESSAGES = {
    "closed": "The client is closed. Open it again with `async with Client(...)`.",
    "not-registered": "This store has no identity yet. Register first: `polynya register NAME RELAY-LINK`.",
    "registered": "This store has an identity already. Use another store for another identity.",
    "bad-link": "This is not a link of Polynya. Copy the whole link, with everything after the # sign.",
    "not-invite-link": "This is a relay's link, not an invite to a person. Use it with `polynya register`.",
    "wrong-relay": "What answers at this address is not the relay of the link. Ask its operator for "
    "a new link; "
    "if the link is right, somebody stands between.",
    "link-too-new": "This link was made by a newer version. Update Polynya.",
    "offline": "The relay cannot be reached now. Check the network and try again; what you sent is kept and "
    "goes out by itself.",
    "timeout": "The relay did not answer in time. Check the network and try again.",
    "unknown-chat": "There is no such chat here. `polynya chats` lists yours.",
    "ambiguous-chat": "Several chats have this name. Give the id that `polynya chats` shows.",
    "no-safety-number": "There is a safety number in chats of two people only, once the other has joined.",
    "unknown-message": "There is no such message here.",
    "no-file": "This message holds no file.",
    "file-too-large": "The file is over the limit of 100 MiB. Split it or make it smaller.",
    "file-unreadable": "The file cannot be read. Check its name and that you may read it.",
    "file-exists": "There is something under that name already. Choose another name or folder.",
    "file-damaged": "The file does not match what its sender sealed. Ask them to send it again.",
    "file-gone": (
        "The relay has forgotten the file, as it was kept too long. Ask the sender to send it again."
    ),
    "file-unwritable": "The file cannot be written. Check the folder and the free space.",
    "upload-refused": "The relay did not take the file. Try again later.",
    "relay-full": (
        "The relay's disk is full. What you sent is kept and goes out by itself when there is room."
    ),
    "no-tokens": "The relay gives this device no more room today. Try again later, or ask somebody who uses this relay for "
    "an invite.",
    "token-keys-differ": "This relay marks people by their tokens. This device asks it for no more. Tell others who use "
    "it, and make new chats by an invite to another relay.",
    "message-failed": "The relay refused the message for good. It stays in the history, marked as failed.",
    "invite-used": "This invite was used already. Ask for a new one: each is for one person.",
    "invite-expired": "This invite has expired. Ask for a new one.",
    "invite-gone": "This invite is not there any more. Ask for a new one.",
    "invite-own": "This is your own invite. Send it to the person you want to talk to.",
    "invite-tampered": "This invite is not what its link promises. Ask for a new one over another way.",
    "invite-failed": "The invite could not be made. Try again later.",
}


class ClientError(PolynyaError):
    """Something the person or program asked for cannot be done. `code` is one of the keys of `MESSAGES`."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{MESSAGES[code]} ({detail})" if detail else MESSAGES[code])
        self.code = code


class StoreError(PolynyaError):
    """The store cannot be opened, read or written; it was left as it is."""

    code = "store"


class StoreInUse(StoreError):
    """Another process has it open."""

    code = "store-in-use"


class PassphraseNeeded(StoreError):
    """It is sealed under a passphrase and none was given."""

    code = "passphrase-needed"


class WrongPassphrase(StoreError):
    code = "wrong-passphrase"


class StoreKeyMissing(StoreError):
    """Its key file is not there, is not readable, or is not what it should be."""

    code = "store-key-missing"


class StoreForeign(StoreError):
    """The file is not a store of Polynya."""

    code = "store-foreign"


class StoreTooNew(StoreError):
    """Written by a newer version."""

    code = "store-too-new"


class StoreDamaged(StoreError):
    """Something in it is not as it was written."""

    code = "store-damaged"


class StoreFull(StoreError):
    """The disk is full; nothing of the step was written."""

    code = "store-full"
