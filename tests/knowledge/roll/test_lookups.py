"""Looking up as the edges do: when it is open, how often, what is answered, what is written down of it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy import func, select, update

from knowledge import elections
from knowledge.roll import keys
from knowledge.roll.attempts import RedisAttempts
from knowledge.roll.identity import BadIdentity
from knowledge.roll.keys import KeyHolder
from knowledge.roll.lookup import Found
from knowledge.roll.lookups import Caller, LookupClosed, Lookups
from knowledge.roll.opening import Closed
from knowledge.roll.records import LookupAct, LookupResult, RollImport, RollState, Way
from office import audit, changes
from office.audit import SYSTEM, AuditEntry
from office.changes import ChangeState
from office.errors import Invalid, NotPermitted, TooMany
from office.hours import BEIJING
from office.store import Store
from office.words import LANGUAGES, say
from tests import rolls
from tests.lookup_desk import LookupDesk, lookup_desk
from tests.make import Cast
from tests.servers import redis as redis_server
from tests.voters import AYGUL, HE_JIE, LIN_YAN, OUYANG, TAO_MIN, Voter, voter

REGISTERED = Found(LookupResult.REGISTERED, *rolls.PLACES[0])
NOT_FOUND = Found(LookupResult.NOT_FOUND)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def desk(store: Store, cast: Cast, now: datetime, tmp_path: Path) -> LookupDesk:
    return await lookup_desk(store, cast, tmp_path, now)


async def rows_of(store: Store, table: Any) -> list[Any]:
    async with store.reading() as session:
        return list((await session.scalars(select(table).order_by(table.id))).all())


async def cause(desk: LookupDesk, now: datetime | None = None) -> Closed | None:
    async with desk.store.reading() as session:
        return (await desk.lookups.opening(session, now or desk.now)).cause


# --- what is answered, and what is written down ---


async def test_a_voter_learns_where_they_are_registered(desk: LookupDesk):
    assert await desk.ask(LIN_YAN) == REGISTERED
    assert await desk.show(LIN_YAN.receipt) == REGISTERED
    assert await desk.ask(TAO_MIN) == await desk.show(TAO_MIN.receipt) == NOT_FOUND


async def test_name_and_number_count_in_all_their_spellings(desk: LookupDesk):
    spelt = Voter(" ".join(AYGUL.name).replace("·", "•"), AYGUL.number.lower(), "")
    assert (await desk.ask(spelt)).result is LookupResult.REGISTERED
    assert await desk.show(LIN_YAN.receipt.lower()[:4] + " - " + LIN_YAN.receipt[4:]) == REGISTERED


async def test_of_a_lookup_only_way_result_and_notice_are_kept(desk: LookupDesk):
    await desk.ask(LIN_YAN)
    await desk.show(TAO_MIN.receipt)
    acts = await rows_of(desk.store, LookupAct)
    assert [(act.channel, act.way, act.result, act.notice, act.staff_id, act.reason) for act in acts] == [
        ("web", Way.IDENTITY, LookupResult.REGISTERED, "1", None, ""),
        ("telegram", Way.RECEIPT, LookupResult.NOT_FOUND, "", None, ""),
    ]


async def test_nobody_is_looked_up_without_the_notice(desk: LookupDesk):
    desk.notice = ""
    with pytest.raises(ValueError, match="notice"):
        await desk.ask(LIN_YAN)


async def test_a_lookup_of_nobodys_is_a_mistake_of_ours(desk: LookupDesk):
    with pytest.raises(ValueError, match="budget"):
        await desk.ask(LIN_YAN, contact="")


async def test_what_cannot_be_a_number_or_a_code_costs_no_try(desk: LookupDesk):
    for _ in range(9):
        with pytest.raises(BadIdentity):
            await desk.ask(Voter("林䶮", "31019919780312", ""), contact="contact:1")
        with pytest.raises(Invalid, match="mistyped"):
            await desk.show(LIN_YAN.receipt[:-1] + "A", contact="contact:1")
    assert await desk.ask(LIN_YAN, contact="contact:1") == REGISTERED


# --- when it is open ---


async def test_it_is_open_on_the_days_of_the_calendar_and_no_minute_before_or_after(desk: LookupDesk):
    first, end = datetime(2026, 11, 16, tzinfo=BEIJING), datetime(2026, 12, 29, tzinfo=BEIJING)
    assert [await cause(desk, first + minutes * MINUTE) for minutes in (-1, 0, 1)] == [
        Closed.NOT_NOW, None, None,
    ]  # fmt: skip
    assert [await cause(desk, end + minutes * MINUTE) for minutes in (-1, 0, 1)] == [
        None, Closed.NOT_PLANNED, Closed.NOT_PLANNED,
    ]  # fmt: skip
    with pytest.raises(LookupClosed) as closed:
        await desk.ask(LIN_YAN, now=first - MINUTE)
    assert closed.value.key == "lookup.closed_until"
    assert closed.value.facts == {"first": date(2026, 11, 16), "last": date(2026, 12, 28)}
    with pytest.raises(LookupClosed) as closed:
        await desk.show(LIN_YAN.receipt, now=end)
    assert closed.value.key == "lookup.closed"


async def test_without_a_calendar_it_is_closed(desk: LookupDesk):
    async with desk.store.transaction() as session:
        change = await elections.change_in_force(session, date(2026, 11, 20))
        assert change is not None
        await audit.move(
            session, change, ChangeState.UNDONE, by="undo", table=changes.TRANSITIONS, actor=SYSTEM,
            now=desk.now,
        )  # fmt: skip
    assert await cause(desk) is Closed.NOT_PLANNED


async def test_without_a_roll_it_is_closed(store: Store, cast: Cast, now: datetime, tmp_path: Path):
    keys.write_service(keys.make(rolls.ELECTION).digest, tmp_path / "roll.key")
    lookups = Lookups(store, KeyHolder(tmp_path / "roll.key"))
    async with store.reading() as session:
        found = await lookups.opening(session, now)
    assert (found.open, found.why, found.cause) == (False, "lookup.closed_now", Closed.NO_ROLL)


async def test_before_anything_is_built_it_is_closed(desk: LookupDesk):
    async with desk.store.reading() as session:
        assert (await Lookups().opening(session, desk.now)).cause is Closed.KEY


def take_away(path: Path) -> None:
    path.unlink()


def open_to_others(path: Path) -> None:
    path.chmod(0o644)


def break_it(path: Path) -> None:
    path.write_text("{}")


def bring_another(path: Path) -> None:
    path.unlink()
    keys.write_service(keys.make(rolls.ELECTION).digest, path)


@pytest.mark.parametrize("spoil", [take_away, open_to_others, break_it, bring_another])
async def test_a_key_that_cannot_be_used_closes_at_once_for_everybody(desk: LookupDesk, spoil):
    assert await desk.ask(LIN_YAN) == REGISTERED
    spoil(desk.key_file)
    for who in (LIN_YAN, TAO_MIN):
        with pytest.raises(LookupClosed, match=r"lookup\.closed_now"):
            await desk.ask(who)
        with pytest.raises(LookupClosed, match=r"lookup\.closed_now"):
            await desk.show(who.receipt)
    assert await cause(desk) is Closed.KEY


@pytest.mark.parametrize("change", [{"election": "西岸区2026"}, {"made_at": "early"}])
async def test_the_roll_of_another_election_is_not_asked(desk: LookupDesk, change: dict[str, Any]):
    if "made_at" in change:
        change = {"made_at": datetime(2025, 12, 20, tzinfo=BEIJING)}
    async with desk.store.transaction() as session:
        await session.execute(update(RollImport).values(**change))
    assert await cause(desk) is Closed.OTHER_ROLL


async def test_a_stop_closes_it(desk: LookupDesk):
    async with desk.store.transaction() as session:
        await session.execute(update(RollState).values(stopped_at=desk.now, stopped_why="reviewer"))
    assert await cause(desk) is Closed.STOPPED


async def test_an_apply_in_between_closes_rather_than_answers_wrongly(desk: LookupDesk, monkeypatch):
    """The roll is switched to one of another key after the look at what is open."""
    ready = desk.lookups._ready

    async def and_then_switched(session, now):
        found = await ready(session, now)
        await session.execute(update(RollImport).values(key_id="0" * 16))
        await session.commit()
        return found

    monkeypatch.setattr(desk.lookups, "_ready", and_then_switched)
    async with desk.store._writing() as session:
        with pytest.raises(LookupClosed):
            await desk.lookups.by_receipt(
                session, Caller("telegram", "contact:1", ""), LIN_YAN.receipt, now=desk.now
            )


# --- how often ---


async def blocked_until(desk: LookupDesk, who: Voter, **more: Any) -> datetime:
    with pytest.raises(TooMany, match=r"lookup\.too_many") as refused:
        await desk.ask(who, **more)
    until: datetime = refused.value.facts["until"]
    return until


async def test_a_contact_has_five_in_ten_minutes(desk: LookupDesk):
    for number in range(5):
        await desk.ask(LIN_YAN if number < 3 else HE_JIE, contact="contact:1")
    for who in (LIN_YAN, OUYANG, TAO_MIN):
        assert await blocked_until(desk, who, contact="contact:1") == desk.now + 10 * MINUTE
    assert (await desk.ask(OUYANG, contact="contact:1", now=desk.now + 10 * MINUTE)).result


async def test_five_misses_block_a_contact_for_a_day_whoever_it_asks_about(desk: LookupDesk):
    for number in range(5):
        await desk.ask(voter(number), contact="contact:1")
    for who in (LIN_YAN, TAO_MIN):
        for later in (0 * MINUTE, 11 * MINUTE):
            until = await blocked_until(desk, who, contact="contact:1", now=desk.now + later)
            assert until == desk.now + timedelta(hours=24)
    assert await desk.ask(LIN_YAN) == REGISTERED
    tomorrow = desk.now + timedelta(hours=24)
    assert await desk.ask(LIN_YAN, contact="contact:1", now=tomorrow) == REGISTERED


async def test_the_blocked_are_not_looked_up(desk: LookupDesk):
    for number in range(5):
        await desk.ask(voter(number), contact="contact:1")
    before = len(await rows_of(desk.store, LookupAct))
    await blocked_until(desk, LIN_YAN, contact="contact:1")
    assert len(await rows_of(desk.store, LookupAct)) == before


async def test_a_network_has_twenty_in_an_hour(desk: LookupDesk):
    for number in range(20):
        await desk.ask(voter(number), network="network")
    assert await blocked_until(desk, LIN_YAN, network="network") == desk.now + 60 * MINUTE
    assert await desk.ask(LIN_YAN, network="another") == REGISTERED


async def test_one_person_and_one_code_can_be_asked_for_three_times_a_day(desk: LookupDesk):
    """By whomever. When it was asked for before is nobody's business: all is open again at midnight."""
    for _ in range(3):
        await desk.ask(LIN_YAN)
        await desk.show(HE_JIE.receipt)
    midnight = datetime(2026, 11, 21, tzinfo=BEIJING)
    assert await blocked_until(desk, LIN_YAN, now=desk.now + 60 * MINUTE) == midnight
    with pytest.raises(TooMany):
        await desk.show(HE_JIE.receipt)
    assert await desk.show(LIN_YAN.receipt) == REGISTERED
    assert await desk.ask(LIN_YAN, now=midnight) == REGISTERED


async def test_two_hundred_at_once_get_as_many_answers_as_the_budget_has(desk: LookupDesk):
    tries = [desk.ask(LIN_YAN, contact="contact:1") for _ in range(200)]
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert found.count(REGISTERED) == 3
    assert sum(isinstance(one, TooMany) for one in found) == 197
    assert len(await rows_of(desk.store, LookupAct)) == 3


# --- Redis ---


@pytest.fixture
async def shared(redis_url: str) -> AsyncIterator[Redis]:
    redis = Redis.from_url(redis_server.database(redis_url, 10))
    await redis.flushdb()
    yield redis
    await redis.aclose()


async def test_redis_holds_no_digest_of_the_roll_and_no_address(
    store: Store, cast: Cast, now: datetime, tmp_path: Path, shared: Redis
):
    desk = await lookup_desk(store, cast, tmp_path, now, attempts=RedisAttempts(shared))
    await desk.ask(LIN_YAN, contact="contact:4711", network="203.0.113.9")
    await desk.show(TAO_MIN.receipt, contact="contact:4711")
    digests = [
        desk.key.identity(LIN_YAN.name, LIN_YAN.number), desk.key.receipt(TAO_MIN.receipt),
    ]  # fmt: skip
    held = b"".join([key + (await shared.dump(key) or b"") for key in await shared.keys("*")])
    assert held.count(b"{one-window:lookup}:") >= 5
    for digest in digests:
        assert digest not in held
        assert digest.hex().encode() not in held
    for plain in (b"4711", b"203.0.113.9", LIN_YAN.number.encode()):
        assert plain not in held


async def test_when_redis_stops_lookup_closes(
    store: Store, cast: Cast, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delitem(os.environ, "TEST_REDIS_URL", raising=False)
    server, url = redis_server.start()
    assert server is not None
    redis = Redis.from_url(url, retry=Retry(NoBackoff(), 0))
    desk = await lookup_desk(store, cast, tmp_path, now, attempts=RedisAttempts(redis))
    assert await desk.ask(LIN_YAN) == REGISTERED
    server.stop()
    for who in (LIN_YAN, TAO_MIN):
        with pytest.raises(LookupClosed, match=r"lookup\.closed_now"):
            await desk.ask(who)
    assert await cause(desk) is Closed.BUDGETS
    registrar = await desk.registrar()
    with pytest.raises(LookupClosed):
        await desk.at_counter(registrar, LIN_YAN)
    await redis.aclose()


# --- at the counter, and for a case ---


async def test_the_registrar_looks_up_who_stands_at_the_counter(desk: LookupDesk):
    registrar = await desk.registrar()
    assert await desk.at_counter(registrar, LIN_YAN) == REGISTERED
    async with desk.store.transaction() as session:
        found = await desk.lookups.at_counter_by_receipt(
            session, registrar, LIN_YAN.receipt, reason="receipt_lost", now=desk.now
        )
    assert found == REGISTERED
    acts = await rows_of(desk.store, LookupAct)
    assert [(act.way, act.staff_id, act.reason, act.channel) for act in acts] == [
        (Way.COUNTER, registrar.id, "in_person", "console"),
        (Way.COUNTER, registrar.id, "receipt_lost", "console"),
    ]
    lines = [line for line in await rows_of(desk.store, AuditEntry) if line.action == "lookup.counter"]
    assert [(line.actor_id, line.subject, line.facts) for line in lines] == [
        (registrar.id, "roll:lookups", {"reason": "in_person"}),
        (registrar.id, "roll:lookups", {"reason": "receipt_lost"}),
    ]


@pytest.mark.parametrize("reason", ["", "他是林先生", "because"])
async def test_a_reason_is_chosen_from_a_list(desk: LookupDesk, reason: str):
    with pytest.raises(Invalid, match=r"lookup\.reason_needed"):
        await desk.at_counter(await desk.registrar(), LIN_YAN, reason=reason)


async def test_nobody_else_looks_up_at_the_counter(desk: LookupDesk, cast: Cast):
    for person in (cast.li_qiang, cast.wang_fang, cast.zhou_ning):
        with pytest.raises(NotPermitted):
            await desk.at_counter(person, LIN_YAN)


async def test_an_officer_confirms_a_case_by_its_own_receipt(desk: LookupDesk, cast: Cast):
    digest = desk.lookups.receipt_digest(HE_JIE.receipt)
    async with desk.store.transaction() as session:
        found = await desk.lookups.for_case(session, cast.li_qiang, digest, subject="ticket:7", now=desk.now)
    assert found == Found(LookupResult.REGISTERED, *rolls.PLACES[1])
    line = (await rows_of(desk.store, AuditEntry))[-1]
    assert (line.action, line.subject, line.actor_id) == ("lookup.case", "ticket:7", cast.li_qiang.id)
    async with desk.store.transaction() as session:
        with pytest.raises(NotPermitted):
            await desk.lookups.for_case(session, cast.zhou_ning, digest, subject="ticket:7", now=desk.now)


async def test_an_officer_has_two_hundred_a_day(desk: LookupDesk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("knowledge.roll.lookups.OFFICER_TRIES", 4)
    registrar = await desk.registrar()
    assert desk.lookups.counter_limit == 200
    for _ in range(4):
        await desk.at_counter(registrar, LIN_YAN)
    with pytest.raises(TooMany) as refused:
        await desk.at_counter(registrar, LIN_YAN)
    assert refused.value.facts["until"] == datetime(2026, 11, 21, tzinfo=BEIJING)


async def test_a_case_without_a_key_gets_no_digest(desk: LookupDesk):
    desk.key_file.unlink()
    with pytest.raises(LookupClosed):
        desk.lookups.receipt_digest(LIN_YAN.receipt)


# --- time ---


async def test_no_answer_leaves_before_the_floor_time():
    lookups = Lookups(floor=0.05, jitter=0.0)
    for took in (0.0, 0.02, 0.06):
        begun = time.monotonic() - took
        await lookups.settle(begun)
        assert time.monotonic() - begun >= (0.1 if took > 0.05 else 0.05)


async def test_every_refusal_has_words_in_both_languages():
    days = {"first": "12月5日", "last": "12月9日", "until": "10:05"}
    for key in ("closed", "closed_until", "closed_now", "too_many", "link_over", "reason_needed"):
        for language in LANGUAGES:
            assert say(f"lookup.{key}", language, **days)


async def test_nothing_is_counted_for_who_asks_while_it_is_closed(desk: LookupDesk):
    early = datetime(2026, 11, 1, tzinfo=BEIJING)
    for _ in range(9):
        with pytest.raises(LookupClosed):
            await desk.ask(LIN_YAN, contact="contact:1", now=early)
    assert await desk.ask(LIN_YAN, contact="contact:1") == REGISTERED
    async with desk.store.reading() as session:
        assert await session.scalar(select(func.count()).select_from(LookupAct)) == 1
