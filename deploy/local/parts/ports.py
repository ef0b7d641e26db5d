"""Ports: free ones on the loopback address, outside the range that the kernel hands to clients.

Inside that range a client that reconnects to a broker which is down can be given the broker's own port.
"""

import random
import socket
from pathlib import Path


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def choose(count: int) -> list:
    """`count` different free ports; another process may still take one before it is used."""
    lowest_for_clients = _client_range_start()
    candidates = range(10_000, max(lowest_for_clients, 12_000))
    chosen = []
    while len(chosen) < count:
        port = random.choice(candidates)
        if port not in chosen and is_free(port):
            chosen.append(port)
    return chosen


def _client_range_start() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError):
        return 32_768
