"""What a problem of a conversation, or with paying a relay, means, in plain words that say what to do."""

from __future__ import annotations

WORDS = {
    "relay-misbehaves": "The relay withholds part of this chat. If this stays, tell whoever runs it, or go on in a new "
    "chat on another relay",
    "relay-fraud": "The relay gave different members different histories, and its own signatures prove it. This chat is "
    "stopped. Talk to each other in another way",
    "relay-lost-history": "The relay has lost part of this chat, perhaps after a restore from backup. What you have "
    "stays; ask the others to write again",
    "history-differs": "The relay shows different histories to different people. Compare safety numbers, and trust this "
    "chat with nothing secret",
    "stuck": "This device lost the thread of this chat and has asked the others to let it in again",
    "removed": "You were removed from this group",
    "no-key-package": "A member's device cannot be added for now. Ask them to open Polynya, then try again",
    "bad-key-package": "A member's device offers a damaged key. Ask them to open Polynya, then try again",
    "no-reach": "A member's device cannot be reached for now. Ask them to open Polynya, then try again",
    "change-refused": "The last change of this group was not possible. Look at the members, and try again",
    "cannot-move": "A member's device offers no keys for that encryption yet. Nothing has changed: try again when "
    "everybody has been online",
    "outgrown": "This group has grown so much that each change costs every member megabytes. Move it to the lighter "
    "encryption (polynya group move CHAT classical): as safe against everything that exists today, not against a "
    "quantum computer that is built one day",
    "message-failed": "A message was refused for good. It is marked; send it again",
    "welcome-failed": "Someone you added could not be reached. Remove them and add them again",
    "invite-failed": "An invite could not be made. Try again later",
    "relay-refuses": "The relay refuses what this program asks. Update Polynya; if it stays, tell whoever runs the relay",
    "no-tokens": "The relay gives this device no more room today. Chats go on; new chats, invites and files wait, and go "
    "out by themselves when it gives more. Somebody who uses this relay can give you an invite, which brings some at once",
    "token-keys-differ": "This relay marks people by the tokens that it gives them, so this device asks it for no more. "
    "Tell others who use it, and make new chats by an invite to another relay",
}
"""By code, without a full stop at the end."""


def explained(code: str) -> str:
    """The code, which programs know, and its words."""
    return f"{code}. {WORDS[code]}" if code in WORDS else code
