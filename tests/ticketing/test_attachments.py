"""Files of a ticket: taken by what they are, sealed, opened by few through a link, and gone in time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from office import audit, outbox
from office.contacts import Channel
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.outbox import Delivery
from office.staff import Staff
from office.store import Store
from tests.make import Cast
from tests.ticketing.confidences import SEALER, confidential, reviewer, take
from tests.ticketing.work import opened, taken
from ticketing import attachments, fetching, tickets
from ticketing.attachments import LARGEST_CHAT, LARGEST_WEB, MOST, Attachment, kind_of, safe_name
from ticketing.records import ClosedBy, Ticket, TicketState

SECRET = b"secret of the tests"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + b"\x00\x00\x00\x10" * 2 + b"rest of the picture"
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 40
WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8 " + b"\x00" * 20
PDF = b"%PDF-1.7\n" + b"\x00" * 20


async def laid(
    store: Store,
    ticket: Ticket,
    now: datetime,
    actor: Staff,
    content: bytes = PNG,
    *,
    quarantined: bool = False,
) -> Attachment:
    async with store.transaction() as session:
        return await attachments.put(
            session, await tickets.get(session, ticket.id), "登记表.png", content, actor=actor,
            quarantined=quarantined, sealer=SEALER, now=now,
        )  # fmt: skip


async def fetch(
    store: Store, row: Attachment, actor: Staff, now: datetime, until: timedelta = timedelta(minutes=30)
) -> bytes:
    token = attachments.link(SECRET, row.id, actor.id, now + until)
    async with store.transaction() as session:
        found = await attachments.open_(session, SECRET, token, sealer=SEALER, actor=actor, now=now)
    return found.content


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp"), (PDF, "application/pdf"),
        (b"", ""), (b"GIF89a" + b"\x00" * 30, ""), (b"<html><script>alert(1)</script>", ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ""), (b"PK\x03\x04" + b"\x00" * 30, ""),
        (b"<!-- -->" + PNG, ""), (b"MZ" + b"\x00" * 60, ""), (b"RIFF\x00\x00\x00\x00WAVEfmt ", ""),
        (b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + b"\x00\x01\x00\x00" * 2, ""),
    ],
)  # fmt: skip
def test_a_file_is_what_it_begins_with(content: bytes, media_type: str) -> None:
    assert kind_of(content) == media_type


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("登记表.png", "登记表.png"),
        ("../../etc/passwd", "passwd.png"),
        ("盘\\张\\身份.exe.png", "身份.png"),
        ("photo.png.html", "photo.png"),
        ("=cmd|x.png", "cmd x.png"),
        ("", "附件.png"),
        ("\u202egnp.exe", "gnp.png"),
        ("张" * 200, "张" * 76 + ".png"),
    ],
)
def test_names_are_made_safe(name: str, kept: str) -> None:
    assert safe_name(name, "image/png") == kept


async def test_what_may_not_be_kept(
    store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await taken(store, cast, now)
    with pytest.raises(Invalid, match="attachment_kind"):
        await laid(store, ticket, now, cast.li_qiang, b"<html>")
    monkeypatch.setattr(attachments, "LARGEST_WEB", 100)
    with pytest.raises(Invalid, match="attachment_large"):
        await laid(store, ticket, now, cast.li_qiang, PNG + b"\x00" * 100)
    with pytest.raises(NotPermitted):
        await laid(store, ticket, now, cast.zhao_lei)
    for _ in range(MOST):
        await laid(store, ticket, now, cast.li_qiang)
    with pytest.raises(Invalid, match="attachment_many"):
        await laid(store, ticket, now, cast.li_qiang)
    assert (LARGEST_WEB, LARGEST_CHAT) == (10 * 1024 * 1024, 20 * 1024 * 1024)


async def test_it_is_sealed_and_every_opening_is_audited(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now)
    row = await laid(store, ticket, now, cast.li_qiang)
    async with store.reading() as session:
        sealed = await session.scalar(select(Attachment.sealed))
        assert sealed is not None
        assert b"picture" not in sealed
    for _ in range(2):
        assert await fetch(store, row, cast.li_qiang, now) == PNG
    async with store.reading() as session:
        lines, _ = await audit.listed(session, action="attachment.open")
        assert [line.facts for line in lines] == [{"attachment": row.id}] * 2


async def test_a_link_is_one_persons_for_half_an_hour(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now)
    row = await laid(store, ticket, now, cast.li_qiang)
    token = attachments.link(SECRET, row.id, cast.li_qiang.id, now + timedelta(minutes=30))
    number, moment, digest = token.split(".")
    later = now + timedelta(minutes=30)
    tried = [
        (token, cast.wang_fang, now),
        (token, cast.li_qiang, later),
        (f"{number}.{int(moment) + 9}.{digest}", cast.li_qiang, now),
        (f"{int(number) + 1}.{moment}.{digest}", cast.li_qiang, now),
        (f"{number}.{moment}.", cast.li_qiang, now),
        ("1", cast.li_qiang, now),
        (f"{number}.{moment}.{digest}é", cast.li_qiang, now),
        (attachments.link(b"other", row.id, cast.li_qiang.id, later), cast.li_qiang, now),
    ]
    async with store.transaction() as session:
        for wrong, who, when in tried:
            with pytest.raises(NotFound, match="attachment_gone"):
                await attachments.open_(session, SECRET, wrong, sealer=SEALER, actor=who, now=when)


async def test_who_may_open_what(store: Store, cast: Cast, now: datetime) -> None:
    """The assignee; a reviewer what is not quarantined; nobody else, whatever their unit."""
    other = await reviewer(store, cast, now)
    ticket = await taken(store, cast, now)
    plain = await laid(store, ticket, now, cast.li_qiang)
    papers = await laid(store, ticket, now, cast.li_qiang, quarantined=True)
    assert await fetch(store, plain, other, now) == PNG
    assert await fetch(store, papers, cast.li_qiang, now) == PNG
    for row, who in ((papers, other), (plain, cast.zhao_lei), (plain, cast.zhou_ning), (plain, cast.sun_jie)):
        with pytest.raises(NotFound):
            await fetch(store, row, who, now)
    async with store.transaction() as session:
        row = await session.get_one(Attachment, papers.id)
        with pytest.raises(Conflict, match="not_yours"):
            await attachments.release(session, row, actor=other, now=now)
        await attachments.release(session, row, actor=cast.li_qiang, now=now)
    assert await fetch(store, papers, other, now) == PNG


async def test_a_link_asks_again_whose_the_ticket_is(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now)
    row = await laid(store, ticket, now, cast.li_qiang, quarantined=True)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.put_back(session, found, "不是我办的", actor=cast.li_qiang, now=now)
    with pytest.raises(NotFound):
        await fetch(store, row, cast.li_qiang, now)


async def test_of_a_confidential_case_the_owner_alone_opens_files(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await confidential(store, cast, now)
    row = await laid(store, ticket, now, cast.wang_fang)
    await take(store, cast, ticket, now)
    assert await fetch(store, row, cast.li_qiang, now) == PNG
    with pytest.raises(NotFound):
        await fetch(store, row, cast.wang_fang, now)
    async with store.reading() as session:
        assert (await session.get_one(Attachment, row.id)).name == f"{row.id}.png"


async def test_seven_days_after_closing_it_is_gone(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now)
    other = await opened(store, cast, now)
    row = await laid(store, ticket, now, cast.li_qiang)
    kept = await laid(store, other, now, cast.li_qiang)
    async with store.transaction() as session:
        await session.execute(
            update(Ticket)
            .where(Ticket.id == ticket.id)
            .values(state=TicketState.CLOSED, closed_at=now, closed_by=ClosedBy.CLOCK)
        )
    for days, gone in ((6, 0), (7, 1), (8, 0)):
        async with store.transaction() as session:
            assert await attachments.forget_old(session, now=now + timedelta(days=days)) == gone
    async with store.reading() as session:
        rows = {one.id: one for one in await session.scalars(select(Attachment))}
        sealed = dict((await session.execute(select(Attachment.id, Attachment.sealed))).all())
    assert (sealed[row.id], rows[row.id].name, rows[row.id].removed_at) == (None, "", now + timedelta(days=7))
    assert sealed[kept.id] is not None
    with pytest.raises(NotFound):
        await fetch(store, row, cast.li_qiang, now)


async def wanted(store: Store, cast: Cast, ticket: Ticket, now: datetime) -> fetching.Wanted:
    async with store.transaction() as session:
        await fetching.want(
            session, await tickets.get(session, ticket.id), cast.zhang_min, "AgAC", name="图片",
            media_type="image/jpeg", size=10, message_id=77, now=now,
        )  # fmt: skip
    async with store.transaction() as session:
        (one,) = await fetching.due(session, Channel.TELEGRAM, now=now)
        assert await fetching.due(session, Channel.TELEGRAM, now=now) == []
    return one


async def test_a_file_of_a_chat_is_fetched_once_and_taken_away_there(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await taken(store, cast, now)
    one = await wanted(store, cast, ticket, now)
    async with store.transaction() as session:
        await fetching.fetched(session, one.attachment_id, PNG, sealer=SEALER, now=now)
        await fetching.fetched(session, one.attachment_id, JPEG, sealer=SEALER, now=now)
        row = await session.get_one(Attachment, one.attachment_id)
        assert (row.media_type, row.name, row.source, row.quarantined) == ("image/png", "图片.png", "", True)
        (away,) = await outbox.about(session, f"contact:{cast.zhang_min.id}")
        assert (away.kind, away.facts) == ("take_away", {"message": 77})
    assert await fetch(store, row, cast.li_qiang, now) == PNG


async def test_what_is_no_picture_after_all_is_dropped_in_words(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await taken(store, cast, now)
    one = await wanted(store, cast, ticket, now)
    async with store.transaction() as session:
        await fetching.fetched(session, one.attachment_id, b"<html>", sealer=SEALER, now=now)
        (told,) = await outbox.about(session, f"ticket:{ticket.id}")
        assert (told.kind, told.facts["why"]) == ("attachment_refused", "attachment_kind")
        row = await session.get_one(Attachment, one.attachment_id)
        assert (row.removed_at, row.source, row.name) == (now, "", "")


async def test_a_fetch_that_fails_comes_again_and_ends_in_words(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await taken(store, cast, now)
    one = await wanted(store, cast, ticket, now)
    at = now
    for _ in range(fetching.MOST_TRIES - 1):
        async with store.transaction() as session:
            await fetching.missed(session, one.attachment_id, now=at)
        at += timedelta(hours=3)
        async with store.transaction() as session:
            assert [row.source for row in await fetching.due(session, Channel.TELEGRAM, now=at)] == ["AgAC"]
    async with store.transaction() as session:
        await fetching.missed(session, one.attachment_id, now=at)
        (told,) = await session.scalars(select(Delivery))
        assert told.facts["why"] == "attachment_lost"
        assert await fetching.due(session, Channel.TELEGRAM, now=at + timedelta(days=1)) == []
