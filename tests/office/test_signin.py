"""Ways into the console: invites that work once, sign-ins that can be ended, failures that block a source."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from office import audit, signin, staff
from office.errors import Conflict, Invalid, NotFound, TooMany
from office.signin import FAILURES, SignIn
from office.staff import Invite, Role
from office.store import Store
from tests.make import Cast

PASSWORD = "a long enough password"


async def way_in(store: Store, cast: Cast, now: datetime) -> str:
    async with store.transaction() as session:
        return await signin.new_way_in(session, cast.li_qiang, actor=cast.zhou_ning, now=now)


async def accept(store: Store, token: str, now: datetime, name: str = "liqiang") -> str:
    async with store.transaction() as session:
        return await signin.accept_invite(session, token, name, PASSWORD, device="Firefox", now=now)


async def try_to_sign_in(
    store: Store, now: datetime, password: str = PASSWORD, *, name: str = "liqiang", source: str = "a"
) -> str | None:
    async with store.transaction() as session:
        return await signin.sign_in(session, name, password, source=source, device="Firefox", now=now)


async def test_an_invite_opens_the_account_and_signs_in(store: Store, cast: Cast, now: datetime) -> None:
    cookie = await accept(store, await way_in(store, cast, now), now)
    async with store.reading() as session:
        found = await signin.who(session, cookie, now=now)
    assert found is not None
    assert found[0].name == "李强"


async def test_an_invite_works_once(store: Store, cast: Cast, now: datetime) -> None:
    token = await way_in(store, cast, now)
    await accept(store, token, now)
    with pytest.raises(NotFound) as refused:
        await accept(store, token, now)
    assert refused.value.key == "invite_over"


async def test_an_invite_used_twice_at_the_same_moment_works_once(
    store: Store, cast: Cast, now: datetime
) -> None:
    token = await way_in(store, cast, now)
    ended = await asyncio.gather(accept(store, token, now), accept(store, token, now), return_exceptions=True)
    assert sorted(type(one).__name__ for one in ended) == ["NotFound", "str"]


async def test_an_invite_ends_after_24_hours(store: Store, cast: Cast, now: datetime) -> None:
    token = await way_in(store, cast, now)
    async with store.reading() as session:
        await signin.open_invite(session, token, now=now + timedelta(hours=23, minutes=59))
        with pytest.raises(NotFound):
            await signin.open_invite(session, token, now=now + timedelta(hours=24))


async def test_a_newer_invite_ends_the_one_before(store: Store, cast: Cast, now: datetime) -> None:
    older = await way_in(store, cast, now)
    newer = await way_in(store, cast, now)
    with pytest.raises(NotFound):
        await accept(store, older, now)
    await accept(store, newer, now)


@pytest.mark.parametrize("token", ["", " ", "0", "null", "x" * 500])
async def test_no_token_is_no_way_in(store: Store, cast: Cast, now: datetime, token: str) -> None:
    await way_in(store, cast, now)
    async with store.reading() as session:
        with pytest.raises(NotFound):
            await signin.open_invite(session, token, now=now)
        assert await signin.who(session, token, now=now) is None


async def test_a_stopped_account_cannot_use_its_invite(store: Store, cast: Cast, now: datetime) -> None:
    token = await way_in(store, cast, now)
    async with store.transaction() as session:
        person = await staff.get(session, cast.li_qiang.id)
        await staff.suspend(session, person, actor=cast.zhou_ning, now=now)
    with pytest.raises(NotFound):
        await accept(store, token, now)


async def test_tokens_and_passwords_are_not_stored(store: Store, cast: Cast, now: datetime) -> None:
    token = await way_in(store, cast, now)
    cookie = await accept(store, token, now)
    async with store.reading() as session:
        invite = (await session.scalars(select(Invite))).one()
        entry = (await session.scalars(select(SignIn))).one()
        person = await staff.get(session, cast.li_qiang.id)
    assert token not in invite.token_digest
    assert cookie not in entry.token_digest
    assert person.password_hash is not None
    assert person.password_hash.startswith("$argon2id$")


async def test_a_guess_at_a_stolen_password_costs_its_price(
    store: Store, cast: Cast, now: datetime, costly: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signin, "_hasher", costly)
    await accept(store, await way_in(store, cast, now), now)
    assert await try_to_sign_in(store, now)
    assert not await try_to_sign_in(store, now, "another long password")
    async with store.reading() as session:
        person = await staff.get(session, cast.li_qiang.id)
    assert (person.password_hash or "").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.parametrize(
    ("name", "password", "key"),
    [
        ("liqiang", "short", "password_short"),
        ("l", PASSWORD, "username_unusable"),
        ("li qiang", PASSWORD, "username_unusable"),
        ("l" * 41, PASSWORD, "username_unusable"),
    ],
)
async def test_unusable_names_and_passwords_are_refused(
    store: Store, cast: Cast, now: datetime, name: str, password: str, key: str
) -> None:
    token = await way_in(store, cast, now)
    async with store.transaction() as session:
        with pytest.raises(Invalid) as refused:
            await signin.accept_invite(session, token, name, password, device="", now=now)
    assert refused.value.key == key
    await accept(store, token, now)  # the invite is not used up by a mistake


async def test_a_name_belongs_to_one_person_whatever_its_letters(
    store: Store, cast: Cast, now: datetime
) -> None:
    await accept(store, await way_in(store, cast, now), now)
    async with store.transaction() as session:
        token = await signin.new_way_in(session, cast.wang_fang, actor=None, now=now)
    with pytest.raises(Conflict) as refused:
        await accept(store, token, now, "LiQiang")
    assert refused.value.key == "username_taken"


async def test_an_invite_needs_a_name_and_a_role(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        with pytest.raises(Invalid, match="name_needed"):
            await signin.invite(session, "  ", [Role.EDITOR], cast.district, actor=None, now=now)
        with pytest.raises(Invalid, match="role_needed"):
            await signin.invite(session, "吴敏", [], cast.district, actor=None, now=now)


async def test_signing_in_needs_the_right_name_and_password(store: Store, cast: Cast, now: datetime) -> None:
    await accept(store, await way_in(store, cast, now), now)
    assert await try_to_sign_in(store, now, "another long password") is None
    assert await try_to_sign_in(store, now, name="nobody") is None
    cookie = await try_to_sign_in(store, now, name=" LiQiang ")
    assert cookie is not None
    async with store.reading() as session:
        assert await signin.who(session, cookie, now=now) is not None
        _, failures = await audit.listed(session, action="staff.sign_in_failed")
    assert failures == 2


async def test_failures_stop_their_source_and_not_the_account(
    store: Store, cast: Cast, now: datetime
) -> None:
    await accept(store, await way_in(store, cast, now), now)
    for _ in range(FAILURES):
        assert await try_to_sign_in(store, now, "wrong password", source="stranger") is None

    with pytest.raises(TooMany) as refused:
        await try_to_sign_in(store, now, source="stranger")
    assert now < refused.value.facts["until"] <= now + signin.FAILURE_SPAN

    assert await try_to_sign_in(store, now, source="office") is not None
    assert await try_to_sign_in(store, refused.value.facts["until"], source="stranger") is not None


async def test_successes_do_not_count(store: Store, cast: Cast, now: datetime) -> None:
    await accept(store, await way_in(store, cast, now), now)
    for _ in range(FAILURES - 1):
        await try_to_sign_in(store, now, "wrong password")
    for _ in range(3):
        assert await try_to_sign_in(store, now) is not None


async def test_a_sign_in_ends_by_itself_and_by_hand(store: Store, cast: Cast, now: datetime) -> None:
    first = await accept(store, await way_in(store, cast, now), now)
    second = await try_to_sign_in(store, now)
    assert second is not None
    async with store.transaction() as session:
        found = await signin.who(session, first, now=now)
        assert found is not None
        assert await signin.who(session, first, now=now + signin.SIGN_IN_LASTS) is None
        person, own = found
        assert len(await signin.sign_ins(session, person, now=now)) == 2
        await signin.end(session, cast.wang_fang, own.id, now=now)
        assert await signin.who(session, first, now=now) is not None  # not by somebody else
        await signin.end(session, person, own.id, now=now)
        assert await signin.who(session, first, now=now) is None
        assert await signin.who(session, second, now=now) is not None
        await signin.end_all(session, person, now=now)
        assert await signin.who(session, second, now=now) is None


@pytest.mark.parametrize("act", [staff.suspend, staff.deactivate])
async def test_a_stopped_person_is_out_with_the_next_request(
    store: Store, cast: Cast, now: datetime, act: object
) -> None:
    cookie = await accept(store, await way_in(store, cast, now), now)
    async with store.transaction() as session:
        person = await staff.get(session, cast.li_qiang.id)
        assert callable(act)
        await act(session, person, actor=cast.zhou_ning, now=now)
    async with store.reading() as session:
        assert await signin.who(session, cookie, now=now) is None
    assert await try_to_sign_in(store, now) is None


async def test_a_new_password_ends_the_sign_ins_before_it(store: Store, cast: Cast, now: datetime) -> None:
    before = await accept(store, await way_in(store, cast, now), now)
    after = await accept(store, await way_in(store, cast, now), now)
    async with store.reading() as session:
        assert await signin.who(session, before, now=now) is None
        assert await signin.who(session, after, now=now) is not None
