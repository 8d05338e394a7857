"""Addresses to listen at: as a browser takes them, and whether other machines can reach them.

Refusing other names is in `webserver`; whether an address is free, in the command.
"""

from __future__ import annotations

import ipaddress

# Host names that a browser on this machine may request at a loopback address. A page of another site whose
# name resolves to this machine (DNS rebinding) sends that name, and is refused.
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


def is_loopback(host: str) -> bool:
    """Return whether an address to listen at cannot be reached from other machines."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def web_address(host: str, port: int) -> str:
    """Return the address of a webserver, as a browser takes it."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
