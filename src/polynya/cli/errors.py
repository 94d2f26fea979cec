"""What goes wrong at the command line itself."""

from __future__ import annotations

from polynya.errors import PolynyaError

MESSAGES = {
    "no-store": "There is no account here yet. Make one with: polynya register NAME RELAY-LINK",
    "relay-extra": "The relay's parts are not installed. Install them with: pip install 'polynya[relay]'",
    "relay-platform": "A relay runs on Linux and macOS. On Windows, use a relay that runs elsewhere.",
    "other-version": "The running `polynya tail` is of another version. Stop it, and try again.",
    "too-much-input": "The input is too long for a text. Send it as a file: polynya send CHAT --file PATH",
    "door-closed": "The running `polynya tail` has ended meanwhile. Try again.",
    "not-beside-tail": "This cannot be done while `polynya tail` runs on the same store. Stop it first.",
    "passphrases-differ": "The two passphrases are not the same. Nothing was changed.",
    "no-terminal": "A passphrase is needed and there is no terminal to ask on. Set POLYNYA_PASSPHRASE.",
    "unknown-person": "There is no contact of this name. `polynya contacts` lists yours.",
    "ambiguous-person": "Several contacts have this name. Give the id that `polynya contacts` shows.",
    "unknown-request": "There is no such request. `polynya requests` lists them.",
    "unknown-message": "There is no such message. `polynya tail --json` shows ids.",
    "empty-input": "There is nothing to send: the input is empty.",
    "bad-input": "The input is not text in UTF-8. Send it as a file: polynya send CHAT --file PATH",
    "still-offline": "The relay cannot be reached. What you sent is kept and goes out the next time "
    "that Polynya runs.",
}


class CliError(PolynyaError):
    """`code` is one of the keys of `MESSAGES`."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{MESSAGES[code]} ({detail})" if detail else MESSAGES[code])
        self.code = code
