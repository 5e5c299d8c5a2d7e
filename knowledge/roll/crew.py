"""The processes that a build is spread over; a small file is read without any."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.context import BaseContext
from types import TracebackType
from typing import Any

from knowledge.roll.row_work import Job, Worker

_here: dict[str, Worker] = {}


class Crew:
    """Workers that take pieces in turn. At most two pieces a worker wait, so that memory stays flat."""

    def __init__(self, job: Job, workers: int) -> None:
        """With one worker everything is done in this process."""
        self._workers = workers
        self._worker = Worker(job) if workers < 2 else None
        self._pool = None
        if workers > 1:
            self._pool = ProcessPoolExecutor(workers, _context(), initializer=_start, initargs=(job,))

    def map(self, what: str, pieces: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """What the worker's method of that name gives for each piece, in the order of the pieces."""
        if self._pool is None:
            for piece in pieces:
                yield getattr(self._worker, what)(*piece)
            return
        yield from self._in_turn((self._submitted(what, piece) for piece in pieces), 2)

    def spread(self, what: Callable[..., Any], pieces: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """What a function that is numpy's work for the most part gives for each piece, in their order.

        In threads: numpy lets go of the interpreter, and nothing has to be sent to another process.
        """
        with ThreadPoolExecutor(self._workers) as threads:
            yield from self._in_turn((threads.submit(what, *piece) for piece in pieces), 1)

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        if self._worker is not None:
            self._worker.close()

    def _in_turn(self, futures: Iterator[Future[Any]], each: int) -> Iterator[Any]:
        waiting: deque[Future[Any]] = deque()
        for future in futures:
            waiting.append(future)
            if len(waiting) > each * self._workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _submitted(self, what: str, piece: tuple[Any, ...]) -> Future[Any]:
        assert self._pool is not None
        with warnings.catch_warnings():
            # Later Pythons warn of threads at a fork; numpy's wait for work and hold nothing.
            warnings.simplefilter("ignore", DeprecationWarning)
            return self._pool.submit(_call, what, piece)


def cores() -> int:
    """How many processes may run at a time."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _context() -> BaseContext:
    """A copy of this process where that is safe: it is there at once, and secrets need not be sent to it."""
    alone = sys.platform == "linux" and threading.active_count() == 1
    return multiprocessing.get_context("fork" if alone else "spawn")


def _start(job: Job) -> None:
    # An interrupt reaches all; the parent ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _here["worker"] = Worker(job)


def _call(what: str, piece: tuple[Any, ...]) -> Any:
    return getattr(_here["worker"], what)(*piece)
