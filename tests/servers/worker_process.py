"""Workers as processes of their own, for tests that kill them: built as in production, without pages.

The program takes seconds to be imported, so one process is prepared and each worker is a fork of it. The
prepared one reads a line of JSON for every worker that it should make, and answers with its process number.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import SecretStr

TOKEN = "100007:double"
SECRET = "a key of forms for tests"


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker is to do: where the database is (and Redis, if any), and the base of the server double.

    `times`: the clock of all limits is so many times as fast. `lease` and `send_within` in seconds.
    """

    database_url: str
    api: str
    folder: str
    redis_url: str | None = None
    times: float = 1
    lease: float = 6
    send_within: float = 1


class Workers:
    """The prepared process and the workers forked from it."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "workers.log"
        self._known: set[int] = set()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        from tests.bot.running import environment

        folder = self.log.parent
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.worker_process", str(self.log)],
            env=environment(folder), cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=_die_with_the_parent if sys.platform == "linux" else None,
        )  # fmt: skip
        self._line()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pid in list(self._known):
            self.kill(pid)
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def start(self, work: Work) -> int:
        """Begin a worker; its process number."""
        assert self._process is not None
        assert self._process.stdin is not None
        print(json.dumps(asdict(work)), file=self._process.stdin, flush=True)
        pid = int(self._line())
        self._known.add(pid)
        return pid

    def kill(self, pid: int) -> None:
        """Signal 9: nothing is finished, nothing is closed. Returns when it is gone."""
        self._end(pid, signal.SIGKILL)

    def stop(self, pid: int) -> None:
        """Let a worker end as it does when the program is stopped."""
        self._end(pid, signal.SIGTERM)

    def said(self) -> str:
        """What the workers have logged so far."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def _end(self, pid: int, how: signal.Signals) -> None:
        self._known.discard(pid)
        deadline = time.monotonic() + 90
        number = int(how)
        while time.monotonic() < deadline:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return
            number = 0  # only to see whether it is still there
            time.sleep(0.01)
        raise AssertionError(f"worker {pid} did not end:\n{self.said()[-3000:]}")

    def _line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"the prepared process has ended:\n{self.said()[-3000:]}")
        return line


def _die_with_the_parent() -> None:
    # Nothing may be left behind by a test run that is itself killed: PR_SET_PDEATHSIG, SIGKILL.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


# ---- within the processes ----


async def work(given: Work) -> None:
    """A worker as `bot.app` builds it, until somebody asks it to end."""
    from bot import app, carrying, pacing, worker
    from bot.channels import limits, robot_bots, telegram
    from bot.channels.limits import Pace
    from bot.settings import Settings
    from office import claims

    for table in (limits.ALL, limits.BROADCASTS, limits.CHAT, limits.GROUP):
        assert isinstance(table, dict)
        for channel, paces in table.items():
            table[channel] = tuple(Pace(pace.every / given.times, pace.burst) for pace in paces)
    claims.LEASE = timedelta(seconds=given.lease)
    pause = claims.pause

    def shorter(attempts: int, retry_after: float | None) -> timedelta:
        return pause(attempts, retry_after) / (given.times if retry_after is None else 1)

    claims.pause = shorter
    carrying.SEND_WITHIN = timedelta(seconds=given.send_within)
    limits.UNDER_WAY = given.send_within
    pacing.ASK_AGAIN /= given.times
    worker.LOOK_EVERY /= given.times
    carrying.AT_ONCE_WITHIN /= given.times
    telegram.UNSAID_WAIT = min(telegram.UNSAID_WAIT, 2.0)
    settings = Settings(
        _env_file=None, data_dir=Path(given.folder), database_url=SecretStr(given.database_url),
        redis_url=SecretStr(given.redis_url) if given.redis_url else None, secret_key=SecretStr(SECRET),
        telegram_token=SecretStr(TOKEN), telegram_api_url=given.api, demo=False,
    )  # fmt: skip
    machine = app.build(settings)
    # Learning from questions is not what this is about, and costs a second of each start.
    machine.worker.learner = None
    sealer = machine.desk.sealer
    assert sealer is not None
    machine.bots.update(robot_bots.make_bots(machine.desk.store, sealer, machine.desk.clock, base=given.api))
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    machine.worker.start()
    await ended.wait()
    await machine.worker.stop()
    await machine.close()


def prepare(log: str) -> None:
    """Load the program once, then fork a worker for each line that comes in."""
    from bot import app  # noqa: F401  so that no worker has to

    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    print("ready", flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become(Work(**json.loads(line)), log)
        print(pid, flush=True)


def _become(given: Work, log: str) -> None:
    _die_with_the_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = 1
    try:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (out, 1), (out, 2)):
            os.dup2(source, target)
        logging.basicConfig(level=logging.WARNING, format="%(process)d %(levelname)s %(name)s: %(message)s")
        asyncio.run(work(given))
        status = 0
    finally:
        os._exit(status)


if __name__ == "__main__":
    prepare(sys.argv[1])
