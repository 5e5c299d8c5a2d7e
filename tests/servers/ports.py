"""Free local ports, and waiting until something answers on one."""

from __future__ import annotations

import http.client
import socket

HOST = "127.0.0.1"


def free_port() -> int:
    """A TCP port on the local machine that nobody listens on at this moment.

    Another program may take it before the caller does; the starting server then ends with an error, which
    `Server.wait_until` reports.
    """
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def answers_http(port: int) -> bool:
    """Whether an HTTP server answers on `port`, with whatever status."""
    # Not urllib: it would send even local addresses to a configured proxy.
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
