"""What a censor sends to a server that it suspects, as bytes: requests good and bad, and things that are no requests.

`{path}` is a file of the site that both servers have, so that nothing below depends on who serves it."""

from __future__ import annotations

from dataclasses import dataclass

HOST = b"Host: bakery.example\r\n"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000012040000000000000300000064")
SOCKS5 = b"\x05\x01\x00"
SSH = b"SSH-2.0-OpenSSH_9.6\r\n"
TLS_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(193))
NOISE = bytes(range(128, 256)) * 4


@dataclass(frozen=True, slots=True)
class Probe:
    """`waits`: it is no whole request, so that the server waits for more until its patience ends. `is_half`: with the
    end of what we send behind it."""

    name: str
    data: bytes
    waits: bool = False
    is_half: bool = False


def get(target: bytes = b"/", *lines: bytes, version: bytes = b"HTTP/1.1", method: bytes = b"GET") -> bytes:
    return (
        method
        + b" "
        + target
        + b" "
        + version
        + b"\r\n"
        + HOST
        + b"".join(x + b"\r\n" for x in lines)
        + b"\r\n"
    )


def _upgrade(target: bytes) -> bytes:
    return get(target, b"Upgrade: websocket", b"Connection: Upgrade", KEY[:-2])


PROBES: tuple[Probe, ...] = (
    # ---- what everybody asks
    Probe("root", get()),
    Probe("root by HTTP/1.0", b"GET / HTTP/1.0\r\n\r\n"),
    Probe("root by HTTP/1.0, keep-alive", b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    Probe("root, close", get(b"/", b"Connection: close")),
    Probe("page", get(b"/page.html")),
    Probe("picture", get(b"/bread.png")),
    Probe("file without a suffix", get(b"/LICENSE")),
    Probe("file of an unknown kind", get(b"/data.bin")),
    Probe("style", get(b"/style.css")),
    Probe("script", get(b"/script.js")),
    Probe("HEAD", get(method=b"HEAD")),
    Probe("HEAD of nothing", get(b"/nothing", method=b"HEAD")),
    Probe("folder without a slash", get(b"/blog")),
    Probe("folder without a slash, query", get(b"/blog?a=b")),
    Probe("folder with a page", get(b"/blog/")),
    Probe("folder without a page", get(b"/empty/")),
    Probe("query", get(b"/?a=b")),
    Probe("absolute form", get(b"http://bakery.example/page.html")),
    Probe("absolute form, https", get(b"https://bakery.example/page.html")),
    Probe("absolute form, a query alone", get(b"http://bakery.example?x=1")),
    Probe("absolute form, half a bracket", get(b"http://[bakery.example/blog")),
    Probe("absolute form, other host", get(b"http://other.example/")),
    Probe("range", get(b"/page.html", b"Range: bytes=2-5")),
    Probe("range from the end", get(b"/page.html", b"Range: bytes=-4")),
    Probe("range behind the end", get(b"/page.html", b"Range: bytes=99999-")),
    Probe("two ranges", get(b"/page.html", b"Range: bytes=0-1,4-5")),
    Probe("range of another unit", get(b"/page.html", b"Range: lines=0-1")),
    Probe("range that is none", get(b"/page.html", b"Range: bytes=a-b")),
    Probe("unchanged since", get(b"/page.html", b"If-Modified-Since: Sat, 01 Jan 2022 00:00:00 GMT")),
    Probe("changed since", get(b"/page.html", b"If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT")),
    Probe("unmodified since", get(b"/page.html", b"If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT")),
    Probe("any tag", get(b"/page.html", b"If-None-Match: *")),
    Probe("match of another tag", get(b"/page.html", b'If-Match: "other"')),
    Probe("gzip", get(b"/page.html", b"Accept-Encoding: gzip, br")),
    Probe("two requests at once", get() + get(b"/nothing")),
    Probe("expect", get(b"/", b"Expect: 100-continue", b"Content-Length: 3", method=b"POST")),
    # ---- paths
    Probe("nothing", get(b"/nothing")),
    Probe("nothing in a folder", get(b"/blog/nothing")),
    Probe("below a file", get(b"/page.html/x")),
    Probe("file with a slash", get(b"/page.html/")),
    Probe("hidden", get(b"/.git/config")),
    Probe("script of PHP", get(b"/index.php")),
    Probe("metrics", get(b"/metrics")),
    Probe("up and out", get(b"/../etc/passwd")),
    Probe("up and out, escaped", get(b"/%2e%2e/etc/passwd")),
    Probe("up and in", get(b"/blog/../page.html")),
    Probe("two slashes", get(b"//page.html")),
    Probe("dot", get(b"/./page.html")),
    Probe("escaped letter", get(b"/%70age.html")),
    Probe("escaped zero", get(b"/a%00b")),
    Probe("escaped slash", get(b"/blog%2findex.html")),
    Probe("escape that is none", get(b"/%zz")),
    Probe("escape without an end", get(b"/%")),
    Probe("escaped, not UTF-8", get(b"/%ff")),
    Probe("bare bytes, not UTF-8", get(b"/\xff\xfe")),
    Probe("fragment", get(b"/page.html#x")),
    Probe("brackets", get(b"/[x]")),
    Probe("backslash", get(b"/a\\b")),
    Probe("no slash", get(b"page.html")),
    Probe("asterisk", get(b"*")),
    Probe("long path", get(b"/" + b"a" * 5000)),
    Probe("very long path", get(b"/" + b"a" * 9000)),
    Probe("very long query", get(b"/?" + b"a" * 9000)),
    # ---- methods
    *(
        Probe(f"method {name.decode()}", get(method=name))
        for name in (
            b"POST",
            b"PUT",
            b"DELETE",
            b"OPTIONS",
            b"TRACE",
            b"PATCH",
            b"PROPFIND",
            b"MKCOL",
            b"FOO",
        )
    ),
    Probe("POST with a body", get(b"/", b"Content-Length: 5", method=b"POST") + b"hello"),
    Probe("POST of nothing", get(b"/nothing", b"Content-Length: 0", method=b"POST")),
    Probe("POST to a folder", get(b"/empty/", b"Content-Length: 0", method=b"POST")),
    Probe("GET with a body", get(b"/", b"Content-Length: 5") + b"hello"),
    Probe("method CONNECT", b"CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n"),
    Probe("method in small letters", get(method=b"get")),
    Probe("method with a dash", get(method=b"M-SEARCH")),
    Probe("method with a digit", get(method=b"GET1")),
    Probe("long method", get(method=b"A" * 300)),
    Probe("too large", get(b"/", b"Content-Length: 2000000", method=b"POST")),
    Probe("far too large", get(b"/", b"Content-Length: 99999999999999999999999", method=b"POST")),
    Probe("negative length", get(b"/", b"Content-Length: -1", method=b"POST")),
    Probe("length that is none", get(b"/", b"Content-Length: x", method=b"POST")),
    Probe("two lengths", get(b"/", b"Content-Length: 1", b"Content-Length: 2", method=b"POST") + b"ab"),
    Probe("chunked", get(b"/", b"Transfer-Encoding: chunked", method=b"POST") + b"3\r\nabc\r\n0\r\n\r\n"),
    Probe(
        "chunked and length", get(b"/", b"Transfer-Encoding: chunked", b"Content-Length: 3") + b"0\r\n\r\n"
    ),
    Probe("unknown coding", get(b"/", b"Transfer-Encoding: other", method=b"POST")),
    Probe(
        "chunked by HTTP/1.0", get(b"/", b"Transfer-Encoding: chunked", version=b"HTTP/1.0") + b"0\r\n\r\n"
    ),
    Probe("bad chunk", get(b"/", b"Transfer-Encoding: chunked", method=b"POST") + b"zz\r\n\r\n"),
    # ---- versions
    Probe("HTTP/0.9", b"GET /\r\n"),
    Probe("HTTP/0.9 with a head", b"GET /\r\nHost: bakery.example\r\n\r\n"),
    Probe("HTTP/0.9 of nothing", b"GET /nothing\r\n"),
    Probe("HTTP/0.9, POST", b"POST /\r\n"),
    Probe("HTTP/1.2", get(version=b"HTTP/1.2")),
    Probe("HTTP/1.9", get(version=b"HTTP/1.9")),
    Probe("HTTP/1.10", get(version=b"HTTP/1.10")),
    Probe("HTTP/2.0", get(version=b"HTTP/2.0")),
    Probe("HTTP/3.0", get(version=b"HTTP/3.0")),
    Probe("HTTP/9.9", get(version=b"HTTP/9.9")),
    Probe("HTTP/0.8", get(version=b"HTTP/0.8")),
    Probe("HTTP/1", get(version=b"HTTP/1")),
    Probe("HTTP/1.", get(version=b"HTTP/1.")),
    Probe("http/1.1", get(version=b"http/1.1")),
    Probe("HTPP/1.1", get(version=b"HTPP/1.1")),
    Probe("RTSP", get(version=b"RTSP/1.0", method=b"OPTIONS")),
    Probe("space behind the version", get(version=b"HTTP/1.1 ")),
    Probe("two spaces", get(version=b" HTTP/1.1")),
    Probe("word too many", get(version=b"x HTTP/1.1")),
    Probe("HTTP/2 preface", HTTP2),
    Probe(
        "h2c", get(b"/", b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMAAABk")
    ),
    # ---- heads
    Probe("no host", b"GET / HTTP/1.1\r\n\r\n"),
    Probe("empty host", b"GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    Probe("two hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    Probe("host of bad letters", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    Probe("host with a port", b"GET /blog HTTP/1.1\r\nHost: bakery.example:8080\r\n\r\n"),
    Probe("host in large letters", b"GET /blog HTTP/1.1\r\nHost: BAKERY.example\r\n\r\n"),
    Probe("letters for a port", b"GET /blog HTTP/1.1\r\nHost: bakery.example:b\r\n\r\n"),
    Probe("a port too large", b"GET /blog HTTP/1.1\r\nHost: bakery.example:99999\r\n\r\n"),
    Probe("host with a dot", b"GET /blog HTTP/1.1\r\nHost: bakery.example.\r\n\r\n"),
    Probe("host of IPv6", b"GET /blog HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
    Probe("folder without a host", b"GET /blog HTTP/1.0\r\n\r\n"),
    Probe("unknown host", b"GET / HTTP/1.1\r\nHost: other.example\r\n\r\n"),
    Probe("lines end with LF", b"GET / HTTP/1.1\nHost: bakery.example\n\n"),
    Probe("lines begin the head", b"\r\n\r\n" + get()),
    Probe("no colon", get(b"/", b"nonsense")),
    Probe("space before a colon", get(b"/", b"X : y")),
    Probe("no name", get(b"/", b": y")),
    Probe("folded", get(b"/", b"X: a", b" b")),
    Probe("underscore in a name", get(b"/", b"X_Y: z")),
    Probe("bad letter in a name", get(b"/", b"X@Y: z")),
    Probe("zero in a name", get(b"/", b"X\0: z")),
    Probe("zero in a value", get(b"/", b"X: a\0b")),
    Probe("bytes in a value", get(b"/", b"X: \x80\xff")),
    Probe("control in a value", get(b"/", b"X: a\x01b")),
    Probe("bare CR in a value", get(b"/", b"X: a\rb")),
    Probe("zero in the path", get(b"/a\0b")),
    Probe("tab in the path", get(b"/a\tb")),
    Probe("control in the path", get(b"/a\x01b")),
    Probe("long line", get(b"/", b"X: " + b"a" * 9000)),
    Probe("lines of 20 KB in all", get(b"/", *(b"X-%d: %s" % (n, b"a" * 1000) for n in range(20)))),
    Probe("lines of 60 KB in all", get(b"/", *(b"X-%d: %s" % (n, b"a" * 1000) for n in range(60)))),
    Probe("many lines", get(b"/", *(b"X-%d: a" % n for n in range(200)))),
    Probe("long cookie", get(b"/", b"Cookie: a=" + b"a" * 9000)),
    Probe("nonsense", b"nonsense\r\n\r\n"),
    Probe("one letter", b"x\r\n\r\n"),
    Probe("small letters", b"hello world\r\n\r\n"),
    # ---- other protocols
    Probe("SOCKS 5", SOCKS5),
    Probe("SOCKS 4", b"\x04\x01\x00\x50\x01\x02\x03\x04\x00"),
    Probe("SSH", SSH),
    Probe("SMTP", b"EHLO bakery.example\r\n"),
    Probe("zeros", bytes(64)),
    Probe("noise", NOISE),
    Probe("noise of letters", b"qwertyuiopasdfghjklzxcvbnm" * 40, waits=True),
    Probe("upgrade of the root", _upgrade(b"/")),
    Probe("upgrade of nothing", _upgrade(b"/s")),
    Probe("upgrade of a path", _upgrade(b"/ws")),
    Probe("upgrade with frames behind", _upgrade(b"/chat") + b"\x82\x85\0\0\0\0hello"),
    # ---- halves
    Probe("nothing at all", b"", waits=True),
    Probe("one byte", b"G", waits=True),
    Probe("half a line", b"GET / HT", waits=True),
    Probe("half a head", b"GET / HTTP/1.1\r\nHost: bakery.example\r\n", waits=True),
    Probe("half a small head after a request", get() + b"GET / HTTP/1.1\r\nHost: b", waits=True),
    Probe("nothing, and the end", b"", is_half=True),
    Probe("root, and the end", get(), is_half=True),
    Probe("two requests, and the end", get() + get(b"/nothing"), is_half=True),
    Probe("noise, and the end", NOISE, is_half=True),
    Probe("half a head, and the end", b"GET / HTTP/1.1\r\nHost: b", is_half=True),
    Probe("half a body", get(b"/", b"Content-Length: 500", method=b"POST") + b"half", waits=True),
    Probe("half a long head", b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 4000, waits=True),
)
