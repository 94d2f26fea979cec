"""The command line as argparse sees it. Help texts are for somebody who has never seen Polynya."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from polynya import __version__

DESCRIPTION = "A messenger for people whose messenger has been blocked."
EPILOG = """\
first steps:
  polynya up                          run a relay on this computer; it prints its link
  polynya register Anna RELAY-LINK    make your account on a relay
  polynya invite --qr                 a link for one person who should reach you
  polynya accept INVITE-LINK          use somebody's invite
  polynya chats                       your conversations
  polynya send Boris "hello"          write
  polynya tail                        read, and go on reading

The account lies in the folder --store DIR, else $POLYNYA_STORE, else a default one.
A passphrase is taken from $POLYNYA_PASSPHRASE, or asked for.
"""


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments, and where help is."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{self.prog}: {message} (see `{self.prog} --help`)\n")
        sys.exit(2)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 86400")
    return value


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 1_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1000")
    return int(text)


def _common() -> Parser:
    common = Parser(add_help=False)
    common.add_argument("--store", metavar="DIR", help="folder of the account")
    common.add_argument(
        "--timeout",
        type=_seconds,
        default=30.0,
        metavar="S",
        help="seconds to wait for the relay (default 30)",
    )
    return common


def build_parser() -> Parser:
    parser = Parser(
        prog="polynya",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"polynya {__version__}")
    commands = parser.add_subparsers(
        dest="command", title="commands", metavar="COMMAND", required=True, parser_class=Parser
    )
    common = _common()

    def command(name: str, help: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=help, description=_sentence(help), parents=[common])

    # `up` and `relay` bring their own parser; here they are for `polynya --help`.
    for name, help in (("up", "run a relay and the web app"), ("relay", "the relay's own commands")):
        commands.add_parser(name, help=help, add_help=False)

    register = command("register", "make an account on a relay")
    register.add_argument("name", metavar="NAME", help="what others see, for example Anna")
    register.add_argument(
        "relay", metavar="LINK", help="the link that the relay printed, or an invite of somebody who uses it"
    )
    register.add_argument(
        "--passphrase", action="store_true", help="seal the store under a passphrase instead of a key file"
    )

    command("whoami", "your name, fingerprint and relay").add_argument("--json", action="store_true")
    command("status", "whether the relay can be reached, and how").add_argument("--json", action="store_true")

    invite = command("invite", "make an invite for one person; it is valid for 14 days")
    invite.add_argument("--qr", action="store_true", help="show it as a QR code too")

    accept = command("accept", "use somebody's invite: asks them for contact")
    accept.add_argument("link", metavar="INVITE-LINK")
    accept.add_argument("--text", help="a few words with the request")
    accept.add_argument("--wait", action="store_true", help="wait until they have accepted")

    requests = command("requests", "contact requests, and your answer to them")
    requests.add_argument("answer", nargs="?", choices=("accept", "decline", "block"))
    requests.add_argument("request", nargs="?", metavar="REQUEST", help="id or name, as listed")
    requests.add_argument("--json", action="store_true")
    requests.add_argument("--offline", action="store_true", help="do not ask the relay")

    contacts = command("contacts", "people you can write to")
    contacts.add_argument("--json", action="store_true")

    chats = command("chats", "your conversations, the newest first")
    chats.add_argument("--json", action="store_true", help="one JSON object a line")
    chats.add_argument("--offline", action="store_true", help="do not ask the relay")

    send = command("send", "write into a conversation")
    send.add_argument("chat", metavar="CHAT", help="name or id, as `polynya chats` shows it")
    send.add_argument(
        "text",
        nargs="?",
        metavar="TEXT",
        help="the text; - reads it from standard input; -- before a text that begins with a dash",
    )
    send.add_argument("--file", metavar="PATH", help="send this file; TEXT becomes its caption")
    send.add_argument("--reply", metavar="ID", help="answer the message with this id")
    send.add_argument("--json", action="store_true", help="print the message as JSON")

    tail = command("tail", "read the newest messages, and those that come")
    tail.add_argument("chat", nargs="?", metavar="CHAT", help="only this conversation")
    tail.add_argument("--json", action="store_true", help="one JSON object a line, see docs/command-line.md")
    tail.add_argument(
        "--once", action="store_true", help="end when everything that waited at the relay is shown"
    )
    tail.add_argument(
        "--new", action="store_true", help="only messages that no `tail --new` has shown before"
    )
    tail.add_argument("-n", type=_count, default=10, metavar="N", help="messages to begin with (default 10)")

    download = command("download", "fetch the file of a message")
    download.add_argument("chat", metavar="CHAT")
    download.add_argument("message", metavar="ID", help="id of the message, as `tail` shows it")
    download.add_argument("--to", default=".", metavar="PATH", help="folder or new file (default: here)")

    safety = command("safety", "the number to compare with the other person")
    safety.add_argument("chat", metavar="CHAT")
    safety.add_argument("--verified", action="store_true", help="you have compared it: remember that")

    _add_group(commands, common)
    command("passphrase", "change how the store is sealed").add_argument(
        "--remove", action="store_true", help="seal under a key file again"
    )
    return parser


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _add_group(
    commands: argparse._SubParsersAction[Parser],
    common: Parser,
) -> None:
    group = commands.add_parser("group", help="make and change groups", description="Make and change groups.")
    verbs = group.add_subparsers(
        dest="verb", title="commands", metavar="COMMAND", required=True, parser_class=Parser
    )

    def verb(name: str, help: str) -> argparse.ArgumentParser:
        return verbs.add_parser(name, help=help, description=_sentence(help), parents=[common])

    create = verb("create", "make a group")
    create.add_argument("name", metavar="NAME")
    create.add_argument("people", nargs="*", metavar="PERSON", help="contacts, by name or id")
    for name, help in (("add", "add contacts to a group"), ("remove", "remove members from a group")):
        change = verb(name, help)
        change.add_argument("chat", metavar="CHAT")
        change.add_argument("people", nargs="+", metavar="PERSON")
    verb("leave", "leave a group").add_argument("chat", metavar="CHAT")
    rename = verb("rename", "give a group another name")
    rename.add_argument("chat", metavar="CHAT")
    rename.add_argument("name", metavar="NAME")
    admin = verb("admin", "make a member admin")
    admin.add_argument("chat", metavar="CHAT")
    admin.add_argument("person", metavar="PERSON")
    admin.add_argument("--remove", action="store_true", help="take the role away")
    move = verb("move", "move a group to another encryption")
    move.add_argument("chat", metavar="CHAT")
    move.add_argument("encryption", choices=("post-quantum", "classical"))
