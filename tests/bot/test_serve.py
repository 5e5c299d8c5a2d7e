"""`run` as people start it: clear words when it cannot, a fair stop when it should end."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from bot import serve
from bot.settings import Settings
from office.redact import LogRedaction
from tests.bot.conftest import Visitor
from tests.bot.running import Running, command, environment
from tests.servers.cache import ROOT
from tests.servers.ports import HOST


async def test_it_starts_on_nothing_and_stops_fairly_with_a_stream_open(tmp_path: Path) -> None:
    async with Running(tmp_path / "var") as program:
        assert "东浦区" in program.said()
        assert len(program.invites()) == 2
        async with httpx.AsyncClient(base_url=program.address, trust_env=False, timeout=120) as client:
            visitor = Visitor(client)
            await visitor.ask("选民证丢了怎么办？")
            async with client.stream("GET", "/chat/stream?after=0") as stream:
                lines = stream.aiter_lines()
                while not (await anext(lines)).startswith("data:"):
                    pass
                status, seconds = await program.stop()
                rest = [line async for line in lines]
        assert (status, rest[-1:]) in ((0, []), (0, [""]))
        assert seconds < 15
        for line in program.said().splitlines():
            assert "ERROR" not in line
            assert "Traceback" not in line
        # A second start finds everything: no second loading, the same one-time links are still open.
        await program.start()
        assert program.said().count("载入示例区") <= program.said().count("\r")
        assert len(program.invites()) == 4
        async with httpx.AsyncClient(
            base_url=program.address, trust_env=False, timeout=120, cookies=client.cookies
        ) as again:
            assert "选民证丢了怎么办？" in (await again.get("/")).text
        await program.stop()


async def test_a_second_program_on_the_same_folder_is_refused(tmp_path: Path, begun: Path) -> None:
    async with Running(tmp_path / "var", begun) as program:
        status, _, complaint = await command(tmp_path / "var", "run")
        assert status == 1
        assert str(tmp_path / "var") in complaint
        assert "Another program uses the folder" in complaint
        assert (await program.stop())[0] == 0
    async with Running(tmp_path / "var") as again:
        assert (await again.stop())[0] == 0


async def test_a_port_in_use_is_said_with_the_next_one(tmp_path: Path) -> None:
    # The command as it is typed, with all its imports; the other tests fork a program that has them.
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-m", "bot", "run", "--port", str(port)],
            env=environment(tmp_path), cwd=ROOT, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    assert done.returncode == 1
    assert f"--port {port + 1}" in done.stderr
    assert "已被占用" in done.stderr
    assert "Traceback" not in done.stderr


async def test_without_sample_one_s_own_district_is_asked_for_and_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    status, _, complaint = await command(folder, "run", DEMO="false")
    assert status == 1
    assert str(folder / "district.yaml") in complaint
    (folder / "district.yaml").write_text("units: 5")
    status, _, complaint = await command(folder, "run", DEMO="false")
    assert (status, "Traceback" in complaint) == (1, False)
    (folder / "district.yaml").write_text(
        "units:\n  - {code: XB, kind: district, name: 新坝区, office_name: 新坝区选举委员会办公室,"
        " phone: 0000-87654321, address: 新坝区示例路2号, hours_text: 工作日}\n",
        encoding="utf-8",
    )
    async with Running(folder, DEMO="false") as program:
        async with httpx.AsyncClient(base_url=program.address, trust_env=False, timeout=120) as client:
            assert "0000-87654321" in (await client.get("/")).text
        assert len(program.invites()) == 1


@pytest.mark.parametrize("inside", ["file/var", "file"])
async def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, inside: str) -> None:
    (tmp_path / "file").write_text("this is no folder")
    status, _, complaint = await command(tmp_path / inside, "run")
    assert status == 1
    assert "不能写入" in complaint
    assert "Traceback" not in complaint


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("postgresql://desk:hidden@127.0.0.1:1/desk", "DATABASE_URL"),
        ("postgresql://desk:hidden@no-such-host.invalid/desk", "DATABASE_URL"),
        ("mysql://desk:hidden@127.0.0.1/desk", "postgresql://"),
    ],
)
async def test_a_wrong_database_address_is_said_without_its_password(
    tmp_path: Path, address: str, word: str
) -> None:
    status, said, complaint = await command(tmp_path, "run", DATABASE_URL=address)
    assert status in (1, 2)
    assert word in complaint
    assert "hidden" not in said + complaint
    assert "Traceback" not in complaint


def test_every_log_record_passes_through_the_redaction(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = root.handlers[:]
    root.handlers = []
    try:
        serve.prepare_logs()
        assert all(any(isinstance(f, LogRedaction) for f in handler.filters) for handler in root.handlers)
        for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "bot.worker", "asyncio"):
            logger = logging.getLogger(name)
            assert logger.propagate
            assert logger.handlers == []
            try:
                raise ValueError("110105194912310021")
            except ValueError:
                logger.exception("看看 %s", "11010519491231002X")
        written = capsys.readouterr().err
    finally:
        root.handlers = before
    assert written.count("Traceback") == 5
    assert "1101051949" not in written
    assert "withheld" not in written


async def test_the_server_keeps_uvicorn_s_own_handlers_and_access_log_away(bare: Path) -> None:
    config = serve.server_config(None, Settings())
    assert config.log_config is None
    assert config.access_log is False
    assert config.proxy_headers is False
    assert config.server_header is False
    assert config.timeout_keep_alive > 60


async def test_streams_survive_a_restart_and_lose_nothing(tmp_path: Path, begun: Path) -> None:
    """The page's stream breaks with the server; it goes on where it was, in order and without a gap."""
    async with Running(tmp_path / "var", begun) as program:
        async with httpx.AsyncClient(base_url=program.address, trust_env=False, timeout=120) as client:
            visitor = Visitor(client)
            got: list[int] = [0]
            wanted = 2**31

            async def follow() -> None:
                while got[-1] < wanted:
                    headers = {"last-event-id": str(got[-1])}
                    try:
                        # After five silent seconds it connects again, and sees whether all is there.
                        async with client.stream("GET", "/chat/stream", headers=headers, timeout=5) as stream:
                            async for line in stream.aiter_lines():
                                if line.startswith("id:"):
                                    got.append(int(line[3:]))
                                    if got[-1] >= wanted:
                                        return
                    except httpx.TransportError:
                        pass
                    await asyncio.sleep(0.05)

            await visitor.open()
            following = asyncio.create_task(follow())
            for number in range(3):
                await visitor.ask("选民证丢了怎么办？")
                if number == 0:
                    program.kill()
                    await program.start()
                if number == 1:
                    await program.stop()
                    await program.start()
            wanted = max(item["seq"] for item in visitor.seen)
            async with asyncio.timeout(120):
                await following
        assert got == list(range(wanted + 1))
