"""Which addresses lead to this machine alone."""

from __future__ import annotations

import ipaddress

# Names under which a browser on this machine may ask for what listens at a loopback address. A page of
# another site that has its own name lead here (DNS rebinding) asks under that name, and gets nothing.
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


def is_loopback(host: str) -> bool:
    """Whether an address to listen at cannot be reached from other machines."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
