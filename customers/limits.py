"""How many answers may come from one place, so that nobody fills the counts alone.

The generic cell rate algorithm (GCRA): a limit of N a minute lets N through at once, and then
one for each N-th of a minute that passes. One number is kept for each place: the moment until
which it has used its share. It lives in the memory of the web process and nowhere else, so no
address is ever stored, and nothing can fail (docs/decisions/0007).

Pure: standard library only, no Django, no I/O; `now` is an argument, in seconds.
Source: ITU-T I.371 (GCRA, virtual scheduling).
"""

from collections.abc import Hashable
from ipaddress import IPv4Address, ip_address
from threading import Lock

WINDOW = 60.0
# Counted in whole nanoseconds: those add up exactly, however long the machine runs. Seconds that
# come as floats are coarser, so a microsecond too early is on time.
SECOND = 1_000_000_000
TOLERANCE = 1_000
# Places remembered at once. Beyond it the oldest is forgotten: the limit then lets more through,
# and never keeps anybody out.
MAX_PLACES = 50_000


class Limiter:
    """Lets through `limit` a minute for each place."""

    def __init__(self, limit: int) -> None:
        self._window = int(WINDOW * SECOND)
        self._step = self._window // limit
        self._used_until: dict[Hashable, int] = {}
        self._lock = Lock()

    def wait(self, place: Hashable, now: float) -> float:
        """Return 0 and count one for `place`, or the seconds to wait and count nothing."""
        moment = int(now * SECOND)
        with self._lock:
            used_until = max(self._used_until.pop(place, moment), moment)
            too_early = used_until + self._step - self._window - moment
            if too_early > TOLERANCE:
                self._used_until[place] = used_until
                return too_early / SECOND
            if len(self._used_until) >= MAX_PLACES:
                del self._used_until[next(iter(self._used_until))]
            self._used_until[place] = used_until + self._step
            return 0.0


def client_place(remote: str, forwarded: str, hops: int) -> str:
    """Return where a request comes from, coarse: an IPv4 address, or the /64 of an IPv6 one.

    `remote` is the other end of the connection, `forwarded` the header X-Forwarded-For and `hops`
    the number of our own proxies. Each proxy adds the address it heard at the right, so the one
    that many from the right is the client's; everything left of it anybody may have written.
    """
    heard = [part.strip() for part in forwarded.split(",") if part.strip()] if forwarded else []
    address = heard[-hops] if 0 < hops <= len(heard) else remote
    if address.count(":") == 1 or "]:" in address:
        # Some proxies add the port.
        address = address.rpartition(":")[0]
    try:
        ip = ip_address(address.strip("[]"))
    except ValueError:
        return "unknown"
    if isinstance(ip, IPv4Address):
        return str(ip)
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return ip.packed[:8].hex()
