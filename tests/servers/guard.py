"""Run one server for as long as the tests live, and not a moment longer.

Started as a script of its own, with one JSON argument. It ends the server when its standard input closes,
which the operating system does even for a test run killed with signal 9, or when the time limit is reached;
then it removes the server's scratch folder.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from typing import Any

GRACE_SECONDS = 5


def run(spec: dict[str, Any]) -> int:
    ended = threading.Event()
    # Here and not in the parent: the guard must keep the right to remove what the server's user wrote.
    uid = spec["uid"]
    child = subprocess.Popen(
        spec["command"],
        cwd=spec["cwd"],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        user=uid,
        group=uid,
        extra_groups=None if uid is None else [],
    )

    def tests_ended() -> None:
        while os.read(0, 4096):  # not sys.stdin: its lock, held by this thread, would trouble the exit
            pass
        ended.set()

    def server_ended() -> None:
        child.wait()
        ended.set()

    for watch in (tests_ended, server_ended):
        threading.Thread(target=watch, daemon=True).start()
    try:
        ended.wait(spec["limit"])
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)  # for PostgreSQL this means: do not wait for the clients
            try:
                child.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait(GRACE_SECONDS)
        shutil.rmtree(spec["scratch"], ignore_errors=True)
    return child.returncode


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(run(json.loads(sys.argv[1])))
