"""Units' telephone numbers in the console: entered where they are missed, by who manages staff there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from office.staff import Role, Staff
from office.store import Store
from office.units import Unit
from tests.admin.conftest import Browser, Clock, plain
from tests.make import Cast
from tests.ticketing.tip_world import released

SignedIn = Callable[[Staff], Awaitable[Browser]]
PAGE = "/admin/units"


async def test_a_number_is_entered_from_the_telephone_list_or_the_list_of_units(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    tip = await released(store, cast, clock())
    board = f"/admin/tips/{tip.id}/board"
    desk = await signed_in(cast.zhou_ning)
    page = plain(await desk.get(board))
    form = f"{PAGE}/{cast.north.id}"
    assert f'href="{form}?tip={tip.id}"' in page
    await desk.get(f"{form}?tip={tip.id}")
    for typed, words in (("139 1234 5678", "这是手机号"), ("何静 20002000", "请填一个办公电话")):
        refused = await desk.post(form, {"phone": typed})
        assert refused.status_code == 422
        assert words in refused.text
        assert f'value="{typed}"' in refused.text
        assert f'name="tip" value="{tip.id}"' in refused.text
    saved = await desk.post(form, {"phone": "（0000）20002000"})
    assert saved.headers["location"] == f"{board}?done=phone"
    page = plain(await desk.get(saved.headers["location"]))
    assert "电话已保存" in page
    assert 'href="tel:000020002000">0000-20002000' in page
    # A page that is no longer fresh loses nothing that was typed.
    stale = await desk.post(form, {"phone": "0000-30003000", "before": ""})
    assert stale.status_code == 409
    assert 'value="0000-30003000"' in stale.text
    assert "您写的还在" in stale.text
    assert 'tel:000020002000">0000-20002000' in plain(stale), "the colleague's number stands beside"
    await desk.get(form)
    assert (await desk.post(form, {"phone": ""})).headers["location"] == f"{PAGE}?done=phone"
    page = plain(await desk.get(f"{PAGE}?done=phone"))
    assert "临江街道" in page
    assert f'href="{PAGE}/{cast.district.id}"' not in page, "the office's own number is not changed here"
    await desk.get(f"{PAGE}/{cast.district.id}")
    own = await desk.post(f"{PAGE}/{cast.district.id}", {"phone": "12345", "before": "0000-12345678"})
    assert own.status_code == 409
    assert "修改单位电话" in plain(await desk.get("/admin/audit"))
    for nobody in (cast.wang_fang, cast.li_qiang):
        other = await signed_in(nobody)
        assert f"{PAGE}/" not in (await other.get(board)).text
        assert (await other.get(PAGE)).status_code == 403
        assert (await other.post(form, {"phone": "12345", "before": ""})).status_code == 403
    async with store.transaction() as session:
        far = Staff(name="何平", unit_id=cast.riverside.id, roles=[Role.ADMIN.value], created_at=clock())
        session.add(far)
    other = await signed_in(far)
    assert "北塘镇" not in (await other.get(PAGE)).text
    assert (await other.get(form)).status_code == 403
    assert (await other.post(form, {"phone": "12345", "before": ""})).status_code == 403
    async with store.reading() as session:
        assert (await session.get_one(Unit, cast.north.id)).phone == ""
