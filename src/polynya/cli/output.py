"""What the command prints: for people, and as JSON for programs. Texts of others never steer the terminal."""

from __future__ import annotations

import json
import time
import unicodedata
from typing import Any

from polynya.cli.context import CURRENT
from polynya.cli.problems import explained
from polynya.client.values import Message
from polynya.core.views import ContactView, ConversationView, RequestView
from polynya.errors import PolynyaError

SHORT = 8
"""Hex digits of an id that people are shown: 32 bits, plenty among one person's chats."""


def clean(text: str, *, indent: str = "") -> str:
    """`text` without what would steer a terminal or turn the direction of writing; further lines get
    `indent`."""
    kept = "".join(
        c if c == "\n" else " " if c == "\t" else c
        for c in text
        if c in "\n\t" or (unicodedata.category(c) not in ("Cc", "Cs", "Co") and c not in _DIRECTION)
    )
    return kept.replace("\n", "\n" + indent)


_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def say(text: str) -> None:
    """One line or more to whoever reads; at once, as pipes are read at once."""
    CURRENT.get().out(text + "\n")


def note(text: str) -> None:
    """Beside the output: to stderr."""
    CURRENT.get().err(f"polynya: {text}\n")


def error_line(error: PolynyaError) -> str:
    """What went wrong, in one line."""
    return f"polynya: {clean(str(error))}".replace("\n", " ") + "\n"


def say_json(value: dict[str, Any]) -> None:
    """One JSON object in one line, in ASCII where the output is not UTF-8."""
    say(json.dumps(value, ensure_ascii=CURRENT.get().ascii_only(), separators=(",", ":")))


def clock(ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(ms / 1_000))


def short(id: bytes) -> str:
    return id.hex()[:SHORT]


# ---- for people ----

_SYSTEM = {
    "created": "{by} made the conversation",
    "added": "{by} added {subjects}",
    "removed": "{by} removed {subjects}",
    "left": "{subjects} left",
    "renamed": "{by} named the conversation {text}",
    "admin": "{by} made {subjects} admin",
    "unadmin": "{by} took the admin role from {subjects}",
    "joined": "{subjects} joined",
    "suite": "the group has moved to {text} encryption",
    "problem": "problem: {text}",
}


def message_line(message: Message, chat: ConversationView, *, with_chat: bool) -> str:
    """As in: `2026-11-24 10:15  Trip  Boris: hello`."""
    when = clock(message.time if message.time is not None else message.sent)
    where = f"{clean(chat.name)}  " if with_chat else ""
    return f"{when}  {where}{_what(message, chat)}"


def _what(message: Message, chat: ConversationView) -> str:
    who = "me" if message.mine else clean(message.sender_name)
    if message.system is not None:
        names = {member.identity: "you" if member.me else member.name for member in chat.members}
        subjects = ", ".join(clean(names.get(each, short(each))) for each in message.system.subjects)
        pattern = _SYSTEM.get(message.system.kind, "{text}")
        text = clean(message.system.text or "").replace("\n", " ")
        who = "you" if message.mine else who
        return "* " + pattern.format(by=who, subjects=subjects or who, text=text)
    if message.deleted:
        return f"{who}: (deleted)"
    if message.kind == "unknown":
        return f"{who}: (a message of a newer version: update Polynya to read it)"
    text = clean(message.text, indent="    ")
    if message.file is not None:
        name = clean(message.file.name).replace("\n", " ")
        text = f"[file {name}, {message.file.size} bytes, id {short(message.id)}] {text}".rstrip()
    edited = " (edited)" if message.edited else ""
    waits = {"waiting": " (waiting)", "failed": " (not sent)"}.get(message.status or "", "")
    return f"{who}: {text}{edited}{waits}"


def chat_line(view: ConversationView) -> str:
    unread = f"  {view.unread} new" if view.unread else ""
    state = "" if view.state == "active" else f"  ({view.state})"
    people = f"  {len(view.members)} members" if view.kind.name == "GROUP" else ""
    problem = f"  problem: {explained(view.problem)}" if view.problem else ""
    return f"{short(view.id)}  {clean(view.name)}{people}{unread}{state}{problem}"


def contact_line(view: ContactView) -> str:
    marks = "".join(
        f"  ({word})" for word, on in (("verified", view.verified), ("blocked", view.blocked)) if on
    )
    return f"{short(view.identity)}  {clean(view.name)}{marks}"


def request_line(view: RequestView) -> str:
    text = f": {clean(view.text, indent='    ')}" if view.text else ""
    return f"{short(view.id)}  {clean(view.name)}{text}"


# ---- for programs; the fields are documented in docs/command-line.md ----


def message_json(message: Message, chat: ConversationView, *, kind: str = "message") -> dict[str, Any]:
    """One line of `polynya tail --json`."""
    file, system = message.file, message.system
    return {
        "type": kind,
        "chat": chat.id.hex(),
        "chat_name": chat.name,
        "id": message.id.hex(),
        "sender": message.sender.hex(),
        "sender_name": message.sender_name,
        "mine": message.mine,
        "kind": message.kind,
        "text": message.text,
        "reply_to": message.reply_to.hex() if message.reply_to is not None else None,
        "sent": message.sent,
        "time": message.time,
        "edited": message.edited,
        "deleted": message.deleted,
        "status": message.status,
        "file": None
        if file is None
        else {"name": file.name, "media_type": file.media_type, "size": file.size},
        "system": None
        if system is None
        else {"kind": system.kind, "subjects": [s.hex() for s in system.subjects], "text": system.text},
        "reactions": [{"by": r.identity.hex(), "emoji": r.emoji} for r in message.reactions],
        "delivered_to": [each.hex() for each in message.delivered_to],
        "read_by": [each.hex() for each in message.read_by],
    }


def chat_json(view: ConversationView) -> dict[str, Any]:
    return {
        "id": view.id.hex(),
        "kind": view.kind.name.lower(),
        "name": view.name,
        "state": view.state,
        "unread": view.unread,
        "problem": view.problem,
        "can_send": view.can_send,
        "post_quantum": view.post_quantum,
        "members": [
            {
                "identity": m.identity.hex(),
                "name": m.name,
                "admin": m.admin,
                "me": m.me,
                "verified": m.verified,
            }
            for m in view.members
        ],
    }


def contact_json(view: ContactView) -> dict[str, Any]:
    return {
        "identity": view.identity.hex(),
        "name": view.name,
        "verified": view.verified,
        "blocked": view.blocked,
        "chat": view.conversation.hex() if view.conversation is not None else None,
    }


def request_json(view: RequestView) -> dict[str, Any]:
    return {
        "id": view.id.hex(),
        "identity": view.identity.hex(),
        "name": view.name,
        "text": view.text,
        "time": view.time,
        "fingerprint": list(view.safety),
    }
