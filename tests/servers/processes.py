"""Server processes for tests: started behind a guard, waited for with a limit, always ended."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

LIFETIME_SECONDS = 3600
"""No server outlives this, whatever becomes of the test run."""


class ServerError(RuntimeError):
    """A server could not be installed or started. The text says what to do, or what the server said."""


class Server:
    """A running server. `scratch` is a folder of its own, removed when it ends."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        scratch: Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        uid: int | None = None,
    ) -> None:
        self.name = name
        self.scratch = scratch
        # Not in `scratch`: it must outlive a server that fails.
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `stop`
        spec = {
            "command": [str(part) for part in command],
            "cwd": str(cwd or scratch),
            "limit": LIFETIME_SECONDS,
            "scratch": str(scratch),
            "uid": uid,
        }
        guard = [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py")), json.dumps(spec)]
        self._process = subprocess.Popen(
            guard,
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=dict(os.environ if env is None else env),
            start_new_session=True,  # Ctrl-C is for the tests, which then close this properly
        )
        atexit.register(self.stop)

    def wait_until(self, ready: Callable[[], bool], seconds: float = 120) -> None:
        """Return once `ready()` holds; end the server and raise `ServerError` if it dies or takes longer."""
        deadline = time.monotonic() + seconds
        while True:
            if self._process.poll() is not None:
                trouble = "ended while starting"
            elif ready():
                return
            elif time.monotonic() > deadline:
                trouble = f"was not ready within {seconds} seconds"
            else:
                time.sleep(0.02)
                continue
            said = self._said()
            self.stop()
            raise ServerError(f"{self.name} {trouble}:\n{said}")

    def stop(self) -> None:
        """End the server; returns when it has ended. Calling it again does nothing."""
        atexit.unregister(self.stop)
        if self._process.stdin is None or self._process.stdin.closed:
            return
        self._process.stdin.close()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._log.close()

    def _said(self) -> str:
        # By position: the server writes through a copy of this very file handle, offset included.
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), 4000, max(0, size - 4000)).decode(errors="replace")


MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3


def quick_folder() -> Path | None:
    """Where files lie in memory: a database is made there in half the time. None without room for them."""
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM
    return MEMORY if roomy else None


def new_scratch(name: str, within: Path | None = None) -> Path:
    """A fresh folder for one server. Others may enter it: PostgreSQL runs as somebody else under root."""
    folder = Path(tempfile.mkdtemp(prefix=f"one-window-{name}-", dir=within))
    folder.chmod(0o755)
    return folder
