"""Bodies too large for a record: uploaded before the record that names them, fetched before it is judged."""

from __future__ import annotations

from dataclasses import dataclass, replace

from polynya.core import work
from polynya.core._state import Upload
from polynya.core.state import DOWNLOAD, DROP, UPLOAD, Download
from polynya.core.transaction import Transaction
from polynya.wire.errors import WireError
from polynya.wire.files import blob_size, open_file, seal_file
from polynya.wire.labels import blob_id
from polynya.wire.messages import (
    BLOB_PART,
    BlobPart,
    BlobState,
    Entry,
    GetBlob,
    InBlob,
    Inline,
    PutBlob,
    RecordBody,
    RefusalCode,
    Refused,
    RelayAddress,
    Request,
    Response,
)
from polynya.wire.record import INLINE_MAX

UPLOAD_ITEM = b"upload"
DOWNLOAD_ITEM = b"download"


# ---- sending ----


@dataclass(frozen=True, slots=True)
class Prepared:
    """A record's body, and the blob that it lies in where it is too large."""

    body: RecordBody
    blob: bytes | None
    data: bytes


def prepare(t: Transaction, data: bytes) -> Prepared:
    if len(data) <= INLINE_MAX:
        return Prepared(Inline(data), None, b"")
    key = t.random.bytes(32)
    blob = b"".join(seal_file(key, len(data), [data]))
    name = blob_id(blob)
    return Prepared(InBlob(name, key, len(data)), name, blob)


def want(t: Transaction, relay: RelayAddress, prepared: Prepared, users: int = 1) -> None:
    """Uploads the blob, if there is one; `users` records will name it."""
    if prepared.blob is None:
        return
    key = relay.identity + prepared.blob
    known = t.get(UPLOAD, key)
    if known is None:
        t.put(UPLOAD, key, Upload(relay, prepared.data, 0, False, users))
    else:
        t.put(UPLOAD, key, replace(known, users=known.users + users))
    work.wake(t, UPLOAD_ITEM, key)


def uploaded(t: Transaction, relay: bytes, blob: bytes | None) -> bool:
    """Whether a record that names the blob can be sent."""
    if blob is None:
        return True
    upload = t.get(UPLOAD, relay + blob)
    return upload is None or upload.whole


def release(t: Transaction, relay: bytes, blob: bytes | None) -> None:
    """One record less needs the blob's bytes here."""
    if blob is None:
        return
    upload = t.get(UPLOAD, relay + blob)
    if upload is None:
        return
    if upload.users > 1:
        t.put(UPLOAD, relay + blob, replace(upload, users=upload.users - 1))
    else:
        t.remove(UPLOAD, relay + blob)


def again(t: Transaction, relay: bytes, blob: bytes | None) -> bool:
    """The relay says it lacks the blob: uploads it once more. False where its bytes are not here."""
    upload = None if blob is None else t.get(UPLOAD, relay + blob)
    if blob is None or upload is None:
        return False
    t.put(UPLOAD, relay + blob, replace(upload, sent=0, whole=False))
    work.wake(t, UPLOAD_ITEM, relay + blob)
    return True


def work_upload(t: Transaction, key: bytes) -> None:
    upload = t.get(UPLOAD, key)
    if upload is None or upload.whole:
        return
    relay = upload.relay.identity
    if work.may_call(t, relay, work.item(UPLOAD_ITEM, key)):
        part = upload.data[upload.sent : upload.sent + BLOB_PART]
        request = PutBlob(key[32:], len(upload.data), upload.sent, part)
        work.call(t, relay, work.item(UPLOAD_ITEM, key), request)


def answered_upload(t: Transaction, key: bytes, request: Request, response: Response) -> None:
    upload = t.get(UPLOAD, key)
    if upload is None or work.postponed(t, UPLOAD_ITEM, key, response):
        return
    if not isinstance(response, BlobState) or response.received > len(upload.data):
        work.count(t, "upload-refused")
        work.pause(t, UPLOAD_ITEM, key)
        return
    if response.received == upload.sent and upload.sent < len(upload.data):
        work.pause(t, UPLOAD_ITEM, key)
    else:
        work.succeeded(t, UPLOAD_ITEM, key)
    whole = response.received == len(upload.data)
    t.put(UPLOAD, key, replace(upload, sent=response.received, whole=whole))
    work.wake(t, UPLOAD_ITEM, key)
    if whole:
        work.wake(t, b"uploads")


def wake_drops(t: Transaction) -> None:
    for key in t.keys(DROP):
        work.wake(t, b"drop", key)


# ---- receiving ----


@dataclass(frozen=True, slots=True)
class Body:
    """`state`: ready (`data` is there), waiting (a download is on its way), gone (the relay does not have it) or
    bad (not a body)."""

    state: str
    data: bytes = b""


def blob_is_named(entry: Entry, blob: bytes) -> bool:
    """Only a blob that was whole when the relay took the record counts: else whoever uploads it later would decide
    which members can read the record."""
    return entry.blobs is not None and blob in entry.blobs


def read_body(t: Transaction, relay: bytes, user: bytes, entry: Entry, body: RecordBody) -> Body:
    """The bytes of a record's body; `user` is the work item that waits for them."""
    if isinstance(body, Inline):
        return Body("ready", body.body)
    if not blob_is_named(entry, body.blob):
        return Body("bad")
    download = t.get(DOWNLOAD, body.blob)
    if download is None:
        t.put(DOWNLOAD, body.blob, Download(relay, user))
        work.wake(t, DOWNLOAD_ITEM, body.blob)
        return Body("waiting")
    if download.gone:
        return Body("gone")
    if not download.whole:
        return Body("waiting")
    t.remove(DOWNLOAD, body.blob)
    try:
        if download.received != blob_size(body.size):
            return Body("bad")
        return Body("ready", b"".join(open_file(body.key, body.size, download.data)))
    except WireError:
        return Body("bad")


def forget_gone(t: Transaction, relay: bytes) -> None:
    """Lets blobs that the relay did not have be asked for again."""
    for blob in t.keys(DOWNLOAD):
        download = t.get(DOWNLOAD, blob)
        if download is not None and download.gone and download.relay == relay:
            t.remove(DOWNLOAD, blob)


def work_download(t: Transaction, blob: bytes) -> None:
    download = t.get(DOWNLOAD, blob)
    if download is None or download.whole or download.gone:
        return
    name = work.item(DOWNLOAD_ITEM, blob)
    if work.may_call(t, download.relay, name):
        work.call(t, download.relay, name, GetBlob(blob, download.received, BLOB_PART))


DOWNLOAD_MAX = 17_825_792
"""Bytes of the blob of the largest body: 16 MiB sealed in chunks (+ 0.03 %) and padded by less than 1/16."""


def answered_download(t: Transaction, blob: bytes, request: Request, response: Response) -> None:
    download = t.get(DOWNLOAD, blob)
    if download is None or work.postponed(t, DOWNLOAD_ITEM, blob, response):
        return
    if isinstance(response, BlobPart) and 0 < response.total <= DOWNLOAD_MAX and response.part:
        data = (*download.data, response.part)
        received = download.received + len(response.part)
        whole = received == response.total
        gone = received > response.total or (whole and blob_id(b"".join(data)) != blob)
        download = replace(download, data=data, received=received, whole=whole and not gone, gone=gone)
    elif isinstance(response, Refused) and response.code == RefusalCode.UNKNOWN_BLOB:
        download = replace(download, gone=True)
    else:
        work.pause(t, DOWNLOAD_ITEM, blob)
        return
    work.succeeded(t, DOWNLOAD_ITEM, blob)
    t.put(DOWNLOAD, blob, download)
    if download.whole or download.gone:
        kind, key = work.split(download.user)
        work.wake(t, kind, key)
    else:
        work.wake(t, DOWNLOAD_ITEM, blob)
