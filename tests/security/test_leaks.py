"""The scanner finds what is planted, in each form and in each sink. It runs in every test; see `conftest`."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from aiogram.fsm.storage.base import StorageKey
from aiogram.fsm.storage.memory import MemoryStorage
from redis.asyncio import Redis
from sqlalchemy import text, update

from knowledge.roll import receipts
from knowledge.roll.records import RollState
from office.store import Store
from tests.conftest import NOW
from tests.lookup_desk import lookup_desk
from tests.security import leaks
from tests.security.leaks import Leak, Listener
from tests.servers import postgres
from tests.servers.stores import PostgresDatabases, Templates
from tests.voters import AYGUL, CAST, HE_JIE, LIN_YAN, OUYANG, RARE, TAO_MIN, Voter, voter

EVERYBODY = [*CAST, TAO_MIN, *(voter(number) for number in (0, 1, 2, 3, 4, 9999))]


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Here and now nothing is allowed; what is planted is gone before the fixtures look."""
    with monkeypatch.context() as patching:
        patching.setattr(leaks, "ALLOWED", {"no test": ""})
        yield


@pytest.mark.parametrize("who", EVERYBODY, ids=lambda who: who.receipt)
@pytest.mark.parametrize(
    "form",
    [
        lambda who: who.name.encode(),
        lambda who: who.name.encode("gb18030"),
        lambda who: who.name.encode("utf-16-le"),
        lambda who: who.name.encode("utf-16-be"),
        lambda who: json.dumps({"name": who.name}).encode(),
        lambda who: json.dumps(json.dumps(who.name)).encode(),
        lambda who: ascii(who.name).encode(),
        lambda who: quote(who.name).encode(),
        lambda who: quote(who.name).lower().encode(),
        lambda who: quote(quote(who.name)).encode(),
        lambda who: who.name.encode("ascii", "xmlcharrefreplace"),
        lambda who: who.number.encode(),
        lambda who: who.number[:17].encode(),
        lambda who: (who.number[:6] + who.number[8:17]).encode(),
        lambda who: f"{who.number[:6]} {who.number[6:14]} {who.number[14:]}".encode(),
        lambda who: f"{who.number[:6]}-{who.number[6:14]}-{who.number[14:]}".encode(),
        lambda who: who.number.encode("utf-16-le"),
        lambda who: who.receipt.encode(),
        lambda who: who.receipt.lower().encode(),
        lambda who: receipts.written(who.receipt).encode(),
    ],
)  # fmt: skip
def test_a_voter_is_found_in_every_form(who: Voter, form):
    assert leaks.marks(b"\x00\xff page " + form(who) + b" and more \x00")


def test_much_is_searched_as_a_little_is():
    """Each mark at each place of a word, at both ends, and beside one another."""
    noise = random.Random(8).randbytes(3 * leaks.SHORT)
    for literal in leaks.LITERALS:
        expected = [other for other in leaks.LITERALS if other in literal]
        for at in (0, 4001, 4002, 4003, 4004, len(noise)):
            assert leaks._literals(noise[:at] + literal + noise[at:]) == expected, (literal, at)
    assert leaks._literals(noise + b"".join(leaks.LITERALS)) == list(leaks.LITERALS)


def test_in_words_one_letter_is_enough():
    for letter in RARE:
        assert leaks.marks(f"某{letter}".encode(), words=True)


def test_a_large_roll_of_digests_is_no_find():
    assert leaks.marks(random.Random(7).randbytes(4_000_000)) == []


def test_what_is_no_voter_is_not_found():
    innocent = "李强 310104199001010012 选区 12-03 K7M2-9QXD-4E T-2611-0042 310199 ZZ 林".encode()
    assert leaks.marks(innocent + bytes(range(256)) * 4) == []


def test_a_find_says_where_and_what():
    with pytest.raises(Leak, match=r"SQLite store\.db"):
        leaks.look(f"… {LIN_YAN.name} …".encode(), "SQLite store.db")


def test_a_file_is_read_in_pieces_that_overlap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(leaks, "CHUNK", 1000)
    path = tmp_path / "some.bin"
    path.write_bytes(b"x" * 990 + HE_JIE.number.encode() + b"x" * 100)
    with pytest.raises(Leak):
        leaks.look_into_folder(tmp_path)
    path.unlink()


async def plant(store: Store, words: str) -> None:
    async with store.transaction() as session:
        await session.execute(update(RollState).values(stopped_why=words))


@pytest.mark.parametrize("words", [OUYANG.name, OUYANG.number, OUYANG.receipt])
async def test_what_a_file_of_sqlite_held_is_found(sqlite_templates: Templates, words: str, strict: None):
    with pytest.raises(Leak, match="SQLite"):
        await written(sqlite_templates, words)


@pytest.mark.parametrize("again", [True, False])
async def test_what_a_database_of_postgresql_held_is_found_also_when_it_was_taken_out(
    monkeypatch: pytest.MonkeyPatch, strict: None, again: bool
):
    """On a server of its own: what is planted stands in the log of writes until the server ends."""
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    server, url = postgres.start()
    assert server is not None
    try:
        templates = Templates(PostgresDatabases(url, again=again), NOW)
        for words in (OUYANG.name, OUYANG.number, OUYANG.receipt):
            with pytest.raises(Leak, match="PostgreSQL test_"):
                await written(templates, words, "")
        with pytest.raises(Leak, match="PostgreSQL test_"):
            await written(templates, OUYANG.name, rows=url)
        with pytest.raises(Leak):
            leaks.look_into_folder(server.scratch / "data" / "pg_wal")
    finally:
        server.stop()


async def written(templates: Templates, *words: str, rows: str = "") -> None:
    """A store in which one cell held these words one after the other; `rows` is where to ask for its rows."""
    async with templates.store("empty") as store:
        for each in words:
            await plant(store, each)
        if rows:
            # As where the files are out of reach.
            name = str(store.engine.url.database)
            with pytest.raises(Leak, match="roll_state"):
                await leaks._look_into_rows(leaks._plain(rows, name), name)


async def test_what_a_conversation_would_remember_is_found(strict: None):
    storage, key = MemoryStorage(), StorageKey(1, 2, 3)
    await storage.set_data(key, {"code_awaited": True})
    with pytest.raises(Leak, match="conversation state"):
        await storage.set_data(key, {"words": f"我叫{AYGUL.name}"})


def test_what_is_logged_is_found_also_in_an_exception(strict: None, tmp_path: Path):
    listener = Listener(tmp_path / "some.log")
    log = logging.Logger("planted")
    log.addHandler(listener)
    log.info("looked up %s", LIN_YAN.receipt)
    listener.close()
    with pytest.raises(Leak, match="planted INFO"):
        leaks.look_into_file(listener.path)
    listener = Listener(tmp_path / "another.log")
    log.handlers = [listener]
    try:
        raise ValueError(HE_JIE.name)
    except ValueError:
        log.exception("failed")
    listener.close()
    with pytest.raises(Leak):
        leaks.look_into_file(listener.path)


def held(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_redis_keeps_what_was_written_until_it_was_looked_through(redis_url: str):
    """The file of writes holds every one in order, also of keys that are gone."""
    redis = Redis.from_url(redis_url)
    try:
        assert (await redis.config_get("appendonly"))["appendonly"] == "yes"
        folder = Path((await redis.config_get("dir"))["dir"])
        await redis.set("planted", "u0123-planted-and-gone", px=1)
        await redis.delete("planted")
    finally:
        await redis.aclose()
    assert b"u0123-planted-and-gone" in held(folder)


async def test_a_roll_and_its_lookups_leave_nothing(
    templates: Templates, now: datetime, tmp_path: Path, strict: None
):
    async with templates.store("cast") as store:
        desk = await lookup_desk(store, templates.cast(), tmp_path, now)
        for who in (LIN_YAN, TAO_MIN):
            await desk.ask(who)
            await desk.show(who.receipt)
        async with store.reading() as session:
            rows = (await session.execute(text("SELECT digest FROM roll_row"))).all()
    assert len(rows) == 2 * len(CAST)
