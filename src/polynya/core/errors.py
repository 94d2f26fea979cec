"""What an action by the person may raise. Nothing that the network sends ever raises."""

from __future__ import annotations

from polynya.errors import PolynyaError


class CoreError(PolynyaError):
    """An action that cannot be done. `code` is one of the keys of `MESSAGES`; nothing has changed."""

    def __init__(self, code: str) -> None:
        super().__init__(MESSAGES[code])
        self.code = code


MESSAGES = {
    "identity-exists": "This device has an identity already.",
    "no-identity": "Register first: choose a name and a relay.",
    "bad-name": "Choose a name of 1 to 128 bytes.",
    "bad-content": "This cannot be sent: it is empty or over its limit.",
    "unknown-conversation": "There is no such conversation here.",
    "unknown-contact": "This person is not among your contacts. Exchange an invite first.",
    "unknown-request": "This contact request is gone.",
    "unknown-invite": "There is no such invite here.",
    "invite-not-open": "Wait until the invite is opened, then send the request.",
    "not-member": "This person is not a member of the conversation.",
    "already-member": "This person is a member of the conversation already.",
    "not-admin": "Only admins of the group may do this.",
    "not-group": "This is possible in groups only.",
    "suite-in-force": "The group has this encryption already.",
    "suite-unknown": "There is no such encryption.",
    "too-many-for-suite": "The group has too many members for this encryption.",
    "moving": "The group is being moved to another encryption. Try again when that is done.",
    "not-active": "You are not an active member of this conversation any more.",
    "leave-first": "Leave the conversation before you delete it.",
    "blocked": "You have blocked this person. Unblock them first.",
    "no-safety-number": "There is a safety number once both of you are in the conversation.",
    "too-many": "This is more than a group can hold.",
    "state-too-new": "The stored data was written by a newer version. Update Polynya.",
    "state-too-old": "The stored data was written by an older version and cannot be read by this one. Open it with "
    "that version, or begin anew with an empty store.",
    "state-broken": "The stored data is damaged and cannot be read.",
}
