"""`run`: prepare the database, say where everything is, and serve until interrupted."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO

import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from tqdm import tqdm

from bot import app, commands, demo, migrate
from bot.settings import Settings
from bot.visitors import Streams
from office import work_groups
from office.redact import LogRedaction

try:
    import fcntl
except ImportError:  # Windows: there the folder is not held
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

SAMPLE_REVIEWER = "王芳"


class Server(uvicorn.Server):
    """A server whose open streams do not hold up its end."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # Unlike the original, which kills the process once more when the server has ended: there is still
        # something to be put away then.
        before = {sig: signal.signal(sig, self.handle_exit) for sig in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._streams.end()
        await super().shutdown(sockets)


async def run() -> int:
    """Start everything and serve until interrupted."""
    found = commands.settings()
    prepare_logs()
    if not _port_free(found.host, found.port):
        return commands.no(
            f"端口 {found.port} 已被占用，请换一个：--port {found.port + 1}",
            f"Port {found.port} is in use; try --port {found.port + 1}",
        )
    try:
        folder = _sole_use(found)
        machine = app.build(found)
    except BlockingIOError:
        return commands.no(
            f"另一个程序正在使用文件夹 {found.data_dir}，请先停止它，或换一个：--data 文件夹",
            f"Another program uses the folder {found.data_dir}; stop it, or choose another: --data DIR",
        )
    except OSError as error:
        return _no_folder(found, error)
    try:
        async with migrate.alone(machine.desk.store):
            await migrate.upgrade(machine.desk.store)
            if not await _first_time(machine):
                file = found.data_dir / "district.yaml"
                return commands.no(
                    f"还没有单位：请按 data/demo/district.yaml 的格式写好 {file}，或设 DEMO=true",
                    f"No units yet: write {file} like data/demo/district.yaml, or set DEMO=true",
                )
            async with machine.desk.store.transaction() as session:
                await work_groups.install(session, now=datetime.now(UTC))
        await _say_where(machine)
        made = app.application(machine)
        config = server_config(made, found)
        await Server(config, made.state.conversation.streams).serve()
    except ValueError as error:
        return commands.no(
            f"单位文件格式不对：{error}", f"The file of units is not in the right form: {error}"
        )
    except (SQLAlchemyError, OSError) as error:
        log.debug("the start failed", exc_info=True)
        if isinstance(error, OSError) and error.filename:
            return _no_folder(found, error)
        return commands.no(
            f"数据库连不上：请检查 DATABASE_URL，或运行 python3 manage.py doctor（{type(error).__name__}）",
            "Cannot reach the database: check DATABASE_URL, or run python3 manage.py doctor",
        )
    finally:
        await machine.close()
        if folder is not None:
            folder.close()
    return 0


def server_config(made: FastAPI | None, found: Settings) -> uvicorn.Config:
    """How the web server is run."""
    return uvicorn.Config(
        made or "",
        host=found.host,
        port=found.port,
        log_level="warning",
        # Without handlers of its own, so that its records pass through our redaction.
        log_config=None,
        access_log=False,
        server_header=False,
        # Client addresses are read by ourselves, from configured proxies only.
        proxy_headers=False,
        # Longer than a proxy keeps idle connections (nginx: 60 s), or hanging up may meet a form on its way.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=3,
    )


def _no_folder(found: Settings, error: OSError) -> int:
    return commands.no(
        f"文件夹 {found.data_dir} 不能写入，请换一个：--data 文件夹（{type(error).__name__}）",
        f"The folder {found.data_dir} cannot be written to; choose another: --data DIR",
    )


def _sole_use(found: Settings) -> IO[bytes] | None:
    """Hold the data folder for this program alone while SQLite lives in it; raises `BlockingIOError`.

    Two programs on one PostgreSQL are fine; on one SQLite file neither would hear of the other's news.
    """
    if found.database_url is not None or fcntl is None:
        return None
    found.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = (found.data_dir / "run.lock").open("ab")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise
    return held


async def _first_time(machine: app.Machine) -> bool:
    """Fill an empty database; returns whether there is a district to work for."""
    store, found = machine.desk.store, machine.settings
    if not await demo.empty(store):
        return True
    file = demo.FILE if found.demo else found.data_dir / "district.yaml"
    if not file.exists():
        return False
    with tqdm(total=0, desc="载入单位和口径 (loading units and entries)", unit="条") as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        key = found.roll_key_file
        await demo.load(store, file, now=datetime.now(UTC), progress=progress, roll_key=key)
    return True


async def _say_where(machine: app.Machine) -> None:
    found, now = machine.settings, datetime.now(UTC)
    host = "127.0.0.1" if found.host in ("0.0.0.0", "::") else found.host
    address = (found.public_url or f"http://{host}:{found.port}").rstrip("/")
    lines = [
        "",
        "一窗 One Window",
        f"  网上咨询 web chat   {address}/",
        f"  后台 console        {address}/admin",
    ]
    if found.demo:
        lines.append("  示例数据，非真实信息：东浦区是虚构的 (sample data: the district is invented)")
    people = [(demo.FIRST, "首位管理员一次性登录链接 one-time sign-in link, first administrator")]
    if found.demo:
        people.append(
            (SAMPLE_REVIEWER, "示例审核人王芳一次性登录链接 one-time link, sample reviewer (second person)")
        )
    for name, words in people:
        if token := await demo.way_in(machine.desk.store, name, now=now):
            lines += [f"  {words}", f"    {address}/admin/invite/{token}"]
    lines += ["  按 Ctrl+C 停止 (stop with Ctrl+C)", ""]
    print("\n".join(lines), flush=True)


def prepare_logs() -> None:
    """Send every record through the redaction, the server's own ones included."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(LogRedaction())


def _port_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
