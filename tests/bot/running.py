"""`bot run` as a process of its own, for tests that stop it, kill it or start it twice."""

from __future__ import annotations

import asyncio
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Self

import httpx

from bot.settings import Settings
from tests.security import leaks
from tests.servers.cache import ROOT
from tests.servers.ports import HOST, free_port


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """Ours without the settings of whoever runs the tests."""
    known = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name not in known}
    return kept | {"DATA_DIR": str(folder), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | settings


def _die_with_the_tests() -> None:
    # A test run killed with signal 9 must leave no program behind: PR_SET_PDEATHSIG, SIGKILL.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Running:
    """A running program; what it said is in `said()`.

    It starts on nothing, or with `begun` on a copy of that folder: on what a first start has loaded.
    """

    def __init__(self, folder: Path, begun: Path | None = None, **settings: str) -> None:
        if begun is not None:
            shutil.copytree(begun, folder, dirs_exist_ok=True)
        self.port = free_port()
        self.address = f"http://{HOST}:{self.port}"
        self._environment = environment(folder, PORT=str(self.port), **settings)
        self._folder = folder
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `kill`
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it at once and forget what it said, in which nothing of a voter may stand."""
        self.kill()
        leaks.look(self.said().encode(), "what the program said", words=True)
        self._log.close()

    async def start(self, *, seconds: float = 60) -> None:
        """Start it and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
            [sys.executable, "-m", "bot", "run"],
            env=self._environment, cwd=self._folder, stdout=self._log, stderr=subprocess.STDOUT,
            preexec_fn=_die_with_the_tests if sys.platform == "linux" else None,
        )  # fmt: skip
        deadline = time.monotonic() + seconds
        async with httpx.AsyncClient(trust_env=False) as client:
            while time.monotonic() < deadline:
                if self._process.poll() is not None:
                    raise AssertionError(f"ended while starting:\n{self.said()}")
                try:
                    if (await client.get(f"{self.address}/healthz")).status_code == 200:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
        raise AssertionError(f"not ready within {seconds} seconds:\n{self.said()}")

    def kill(self) -> None:
        """Signal 9: nothing is finished, nothing is closed."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)

    async def stop(self) -> tuple[int, float]:
        """Ask it to end; its exit status, and how many seconds it took."""
        assert self._process is not None
        begun = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        status = await asyncio.to_thread(self._process.wait, 20)
        return status, time.monotonic() - begun

    def said(self) -> str:
        """All it has written so far."""
        # By position: the program writes through a copy of this very file handle, offset included.
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    def invites(self) -> list[str]:
        """The one-time links it printed."""
        return re.findall(r"http://\S+/admin/invite/\S+", self.said())


async def command(folder: Path, *words: str, **settings: str) -> tuple[int, str, str]:
    """Run one command to its end; exit status, what it printed, what it complained about."""
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "bot", *words],
        env=environment(folder, **settings), cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr
