"""The web addresses that may send answers: scheme, host and port, and nothing else.

A browser says with every answer which site it stands on, as "https://shop.example" or
"http://localhost:8080". An address is allowed when it is exactly one of the list.

Pure: standard library only, no Django, no clock, no I/O. Source: RFC 6454.
"""

import re
from urllib.parse import urlsplit

_USUAL_PORT = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.?")


class OriginError(ValueError):
    """An address that no browser would send."""

    def __init__(self, address: str, rule: str) -> None:
        quote = address if len(address) <= 60 else address[:60] + "…"
        super().__init__(f"{quote!r} {rule}")


def origin_of(address: str) -> str:
    """Return the origin of a web address as browsers write it, else raise OriginError.

    A path is dropped: who pastes the address of a page means the site it is on.
    """
    text = address.strip()
    if any(char <= " " or char in '\\"<>^`{|}*' for char in text):
        raise OriginError(address, "holds a character that is in no address; list each site.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise OriginError(
            address, "is not a web address; write https://www.shop.example."
        ) from None
    if parts.scheme not in _USUAL_PORT:
        raise OriginError(address, "does not begin with https:// or http://; write it in full.")
    if parts.username is not None or parts.password is not None:
        raise OriginError(address, "holds a name or password; leave them out.")
    host = _ascii_host(address, parts.hostname or "")
    tail = "" if port in (None, _USUAL_PORT[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{tail}"


def _ascii_host(address: str, host: str) -> str:
    if ":" in host:  # IPv6, which urlsplit has checked
        return f"[{host}]"
    try:
        name = host.encode("idna").decode().lower()
    except UnicodeError:
        name = ""
    if not _HOST.fullmatch(name):
        raise OriginError(address, "has no host name; write https://www.shop.example.")
    return name
