"""Every limit of the relay, in one place. Change one in the configuration file's [limits] table."""

from __future__ import annotations

from dataclasses import dataclass

from polynya.relay.store.base import INBOX_RECORDS
from polynya.wire.messages import KEY_PACKAGE_MAX, RECORD_STEPS

KIB = 1024
MIB = 1024 * KIB
FRAME_MAX = 98_304 + 16
"""Bytes of a session's frame: the largest padding step and the seal."""
REQUEST_MAX = 7 + 1_120 + 98_304 + 16
"""Bytes of a sealed request: header, encapsulation, the largest padding step and the seal."""
DAY_SECONDS = 86_400
ROWS = 512
"""Bytes in the database around a record, package, blob, token or member, at most: rows, entries of indexes, pages that are
not full."""
PACKAGES_PUT = 10
"""Key packages in one request, the last-resort one aside."""
HELLO_MAX = 7 + 1_120 + 4_096 + 16
"""Bytes of a session's first frame: the hello (1.2 KB) in its padding step."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, sizes in bytes, rates per second with the burst that may come at once."""

    # ---- connections
    connections: int = 20_000
    """20,000 idle sessions x 16 KiB = 312 MiB; with TLS x 48 KiB = 940 MiB"""
    connections_per_address: int = 4_096
    """one address may be a bridge or a provider's NAT with thousands of people behind it; a fifth of
    `connections`"""
    replacements_per_second: float = 50.0
    replacements_burst: int = 500
    """connections of one address that has too many which give way to new ones: what these ask for is work, while who
    is turned away beyond takes 33 us"""
    head_timeout: float = 60.0
    """for a TLS handshake, and for a head: what ordinary sites (nginx, as it comes) wait; another time would tell the
    relay from them. Who is slower than others gives way to them"""
    body_timeout: float = 60.0
    """100 KB at 16 kbit/s is 50 s"""
    send_timeout: float = 60.0
    """without a byte taken by who is sent an answer: as ordinary sites"""
    keep_alive: float = 75.0
    """what ordinary sites keep an idle connection"""
    handshakes_per_second: float = 800.0
    handshakes_burst: int = 800
    """of TLS, each address in its turn: ~0.5 ms of a core each, 40 %"""
    hello_timeout: float = 30.0
    """5.2 KB at 2 kbit/s is 21 s"""
    tick: float = 15.0
    """idle sessions are looked at so often"""
    ping_ticks: int = 3
    """a session is pinged after 45 to 60 s of silence: NATs of mobile networks forget after a minute or
    more"""
    silent_ticks: int = 7
    """and closed after 105 to 120 s: twice the ping and its answer"""

    # ---- what is sent to a session
    kernel_buffer: int = 256 * KIB
    """the socket's own send buffer, which the kernel would let grow to 4 MiB for a session that does not
    read: 256 KiB on their way are 1.2 MB/s at 200 ms"""
    buffer_pause: int = 256 * KIB
    """no further call of the session is begun above: four answers of 64 KiB wait"""
    buffer_drop: int = MIB
    """a session whose buffer is larger is closed: 1,000 pushes of 1 KiB that it did not read"""
    buffers_total: int = 256 * MIB
    """all slow sessions together: with more than 256 of them each gets its share of this instead"""
    bodies_total: int = 64 * MIB
    """requests that have not wholly arrived: 675 of the largest at once"""

    # ---- what a session asks
    calls_per_second: float = 200.0
    calls_burst: int = 2_000
    """a device that comes back asks for 256 topics and 50 inboxes, 64 entries at a time: ~1,000 calls"""
    calls_waiting: int = 128
    bytes_waiting: int = 256 * KIB
    """calls that have arrived and wait; beyond, the session is not read"""
    subscriptions: int = 4_096
    """16 Subscribe of 256; ~200 B each, 800 KB"""
    ephemerals_per_second: float = 5.0
    ephemerals_burst: int = 30
    """typing is told at most once in three seconds and chat; a person types in one"""

    # ---- all sessions and exchanges together
    opens_per_second: float = 400.0
    opens_burst: int = 4_000
    """an opened hello or request costs ~0.3 ms: 12 % of a core; 20,000 devices that lost their relay are back
    in 40 s. Encapsulations are remembered for 20 minutes: 400 x 1,200 + 4,000 of ~110 B, 53 MB"""
    creations_per_second: float = 20.0
    creations_burst: int = 2_000
    """topics, inboxes and owners of key packages: 1.7 million a day of ~300 B, 0.5 GB"""
    joins_per_second: float = 5.0
    joins_burst: int = 200
    """who asks to become a member, again too: as many at once as may become members in a day"""
    signatures_per_second: float = 200.0
    signatures_burst: int = 512
    """of tokens: ~1.5 ms of a core each. A whole stock of 96 for each of 20,000 devices takes three hours"""
    members_per_day: int = 200
    """who become members, invited or not: bounds what a few people who invite one another can take"""
    joins_per_day: int = 20
    """of them, who have no more than the relay's link; 0: nobody"""
    blob_bytes_per_second: float = 8.0 * MIB
    blob_bytes_burst: int = 1_024 * MIB
    """ten files of the largest size at once, then 64 Mbit/s"""
    disk_reserve: int = 256 * MIB
    """no blob is taken when less of the disk is free: records still fit, 250,000 of them"""

    # ---- one topic, inbox or owner
    publishes_per_second: float = 20.0
    publishes_burst: int = 400
    """a conversation of 1,000 in which everybody writes twice a minute: 33; 400 when a device comes back"""
    publish_bytes_per_second: float = 64.0 * MIB / DAY_SECONDS
    publish_bytes_burst: int = 64 * MIB
    """with ROWS for each record: a thousand people who write 40 messages of 1 KiB on a day; beyond, one each 2 s"""
    drops_per_second: float = 1.0
    drops_burst: int = 100
    """Welcomes and contact requests: a few a day; an inbox holds 1,000"""
    takes_per_second: float = 1.0 / 60
    takes_burst: int = 20
    """one-time key packages of one owner: as many as a device keeps there; beyond, the last-resort one is
    given"""

    # ---- one member who was invited
    use_tokens_first: int = 512
    use_tokens_per_day: int = 256
    use_tokens_saved: int = 1_024
    """a token pays for a topic, an inbox, ten key packages or a MiB of a blob: two files of 100 MiB a day, and ten after
    days of none"""
    join_tokens_first: int = 8
    join_tokens_per_day: int = 2
    join_tokens_saved: int = 16
    """each invites one person"""

    # ---- one member who came by the link alone: invites nobody
    open_use_tokens_first: int = 32
    open_use_tokens_per_day: int = 16
    open_use_tokens_saved: int = 64
    """a device with ten chats and its key packages; files of a few MiB"""

    # ---- one member, whoever it is
    issues_per_second: float = 0.1
    issues_burst: int = 32
    """requests for tokens: the same one may be asked again for nothing, and costs 64 signatures each time"""

    @property
    def token_bytes(self) -> int:
        """What one token for use lets be written on its first day, at most: the largest of what it may pay for."""
        topic = self.publish_bytes_burst + int(self.publish_bytes_per_second * DAY_SECONDS)
        inbox = INBOX_RECORDS * (RECORD_STEPS[-1] + 2 * ROWS)
        packages = (PACKAGES_PUT + 1) * (KEY_PACKAGE_MAX + ROWS)
        return max(MIB + ROWS, topic, inbox, packages)

    @property
    def open_bytes_per_day(self) -> int:
        """What people who have the relay's link and nobody's invite can write on the day on which they become members, at
        most, the relay's very first member aside; 0 where the link makes nobody a member. On each later day it is
        `open_use_tokens_per_day` instead of `open_use_tokens_first` tokens for each of them."""
        return self._open_members * self._member_bytes(self.open_use_tokens_first)

    @property
    def new_bytes_per_day(self) -> int:
        """The same of all who become members on a day: those whom a member invited, and whom they invite in turn,
        too."""
        invited = self.members_per_day - self._open_members
        return self.open_bytes_per_day + invited * self._member_bytes(self.use_tokens_first)

    @property
    def _open_members(self) -> int:
        return min(self.joins_per_day, self.members_per_day)

    def _member_bytes(self, tokens: int) -> int:
        """Of one who was issued so many tokens for use, each spent for what takes most; its rows, and the token that it
        joined with."""
        return tokens * (self.token_bytes + ROWS) + 4 * ROWS
