"""`bot run` as a process of its own, for tests that stop it, kill it or start it twice.

Programs are forked from one process that has imported everything: most of a start is imports, and the tests
start some sixty programs. That a start from nothing works too is for `tests/bot/test_serve.py`.
"""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO, Self

import httpx

from bot import __main__ as program
from bot.settings import Settings
from tests.security import leaks
from tests.servers.cache import ROOT
from tests.servers.ports import HOST, free_port

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["tests.bot.prepared"])


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """Ours without the settings of whoever runs the tests."""
    known = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name not in known}
    return kept | {"DATA_DIR": str(folder), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | settings


def die_with_the_tests() -> None:
    """A test run killed with signal 9 must leave no program behind: PR_SET_PDEATHSIG, SIGKILL."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _run(words: list[str], settings: dict[str, str], folder: str, said: str, complained: str) -> None:
    die_with_the_tests()
    os.environ.clear()
    os.environ.update(settings)
    os.chdir(folder)
    for name, stream in ((said, sys.stdout), (complained, sys.stderr)):
        opened = os.open(name, os.O_WRONLY | os.O_APPEND)
        os.dup2(opened, stream.fileno())
        os.close(opened)
        stream.reconfigure(line_buffering=True, encoding="utf-8")  # type: ignore[union-attr]
    sys.argv = ["bot", *words]
    sys.exit(program.main())


def _forked(
    words: list[str], settings: dict[str, str], folder: Path, said: str, complained: str
) -> BaseProcess:
    made = FORKED.Process(target=_run, args=(words, settings, str(folder), said, complained))
    made.start()
    return made


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
        self._log: IO[bytes] = tempfile.NamedTemporaryFile()  # noqa: SIM115 - closed in `close`
        self._process: BaseProcess | None = None

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

    async def start(self, *, seconds: float = 240) -> None:
        """Start it and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._process = _forked(["run"], self._environment, self._folder, self._log.name, self._log.name)
        deadline = time.monotonic() + seconds
        async with httpx.AsyncClient(trust_env=False) as client:
            while time.monotonic() < deadline:
                if self._process.exitcode is not None:
                    raise AssertionError(f"ended while starting:\n{self.said()}")
                try:
                    if (await client.get(f"{self.address}/healthz")).status_code == 200:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
        raise AssertionError(f"not ready within {seconds} seconds:\n{self.said()}")

    def kill(self) -> None:
        """Signal 9: nothing is finished, nothing is closed."""
        if self._process is not None and self._process.exitcode is None:
            self._process.kill()
            self._process.join(10)

    async def stop(self) -> tuple[int | None, float]:
        """Ask it to end; its exit status, and how many seconds it took."""
        assert self._process is not None
        begun = time.monotonic()
        self._process.terminate()
        await asyncio.to_thread(self._process.join, 20)
        return self._process.exitcode, time.monotonic() - begun

    def said(self) -> str:
        """All it has written so far."""
        return Path(self._log.name).read_text(encoding="utf-8", errors="replace")

    def invites(self) -> list[str]:
        """The one-time links it printed."""
        return re.findall(r"http://\S+/admin/invite/\S+", self.said())


async def command(folder: Path, *words: str, **settings: str) -> tuple[int | None, str, str]:
    """Run one command to its end; exit status, what it printed, what it complained about."""
    return await asyncio.to_thread(_finished, list(words), environment(folder, **settings))


def _finished(words: list[str], settings: dict[str, str]) -> tuple[int | None, str, str]:
    with tempfile.NamedTemporaryFile() as said, tempfile.NamedTemporaryFile() as complained:
        made = _forked(words, settings, ROOT, said.name, complained.name)
        made.join(120)
        made.kill()
        return made.exitcode, said.read().decode(), complained.read().decode()
