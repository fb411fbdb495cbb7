"""The character sets in which upstreams send HTML."""

from __future__ import annotations

import re

CHARSETS = {
    **dict.fromkeys(("utf-8", "utf8", "us-ascii", "ascii"), "utf-8"),
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "latin-1", "windows-1252", "cp1252"), "cp1252"),
    **dict.fromkeys(("iso-8859-15", "iso8859-15", "latin-9"), "iso8859-15"),
    **{name: name for name in ("utf-16", "utf-16le", "utf-16be", "gbk", "gb18030", "big5", "shift_jis", "euc-jp")},
    **{name: name for name in ("euc-kr", "koi8-r", "iso-8859-2", "windows-1250", "windows-1251")},
}
"""Python's codecs by the names that pages use (WHATWG Encoding, section 4.2).

Python has codecs for other things too: ``punycode`` takes hours for a large page, ``unicode_escape`` makes quotes of
harmless text. A name that is not here is not looked up at all, because each name that was looked up stays in memory.
"""
BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
DECLARED_CHARSET = re.compile(rb"""<meta[^>]{1,200}?charset=["']?([A-Za-z0-9_-]{1,40})""", re.IGNORECASE)
MAX_DECLARATION_BYTES = 1024
"""Where a page must declare its charset (HTML standard, section 4.2.5.4)."""


def decode_html(body: bytes | bytearray, charset: str | None) -> str:
    """Return the text of an HTML page.

    A byte order mark counts first, then the header, then the page itself. A page in none of :data:`CHARSETS` is read as
    UTF-8: names and URLs are ASCII.

    Args:
        body: the page.
        charset: the charset that the header names, if any.
    """
    head = bytes(body[:MAX_DECLARATION_BYTES])
    declared = DECLARED_CHARSET.search(head)
    named = (charset or (declared[1].decode() if declared else "")).lower()
    codec = next((codec for mark, codec in BYTE_ORDER_MARKS.items() if head.startswith(mark)), None)
    return body.decode(codec or CHARSETS.get(named, "utf-8"), "replace")
