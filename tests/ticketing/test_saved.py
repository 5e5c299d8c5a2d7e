"""An officer's own views of the queue: kept, changed, renamed and removed by nobody else."""

from __future__ import annotations

import pytest

from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.store import Store
from tests.make import Cast
from ticketing import saved


async def test_a_view_is_kept_changed_renamed_and_removed(store: Store, cast: Cast) -> None:
    async with store.transaction() as session:
        first = await saved.save(session, "  登记组  今天 ", "?view=today&group=登记组", actor=cast.li_qiang)
        again = await saved.save(session, "登记组 今天", "?view=overdue", actor=cast.li_qiang)
        assert (again.id, again.name, again.query) == (first.id, "登记组 今天", "?view=overdue")
        await saved.rename(session, again, "登记组超时", actor=cast.li_qiang)
    async with store.transaction() as session:
        (kept,) = await saved.listed(session, cast.li_qiang)
        assert kept.name == "登记组超时"
        await saved.remove(session, kept, actor=cast.li_qiang)
        assert await saved.listed(session, cast.li_qiang) == []


async def test_a_view_is_nobody_elses(store: Store, cast: Cast) -> None:
    async with store.transaction() as session:
        own = await saved.save(session, "我的", "?view=mine", actor=cast.li_qiang)
        assert await saved.listed(session, cast.wang_fang) == []
        with pytest.raises(NotFound, match="saved_unknown"):
            await saved.get(session, cast.wang_fang, own.id)
        with pytest.raises(NotFound):
            await saved.rename(session, own, "她的", actor=cast.wang_fang)
        with pytest.raises(NotFound):
            await saved.remove(session, own, actor=cast.wang_fang)
        with pytest.raises(NotFound):
            await saved.get(session, cast.li_qiang, 404)
        # The same name is free for everybody.
        await saved.save(session, "我的", "?view=mine", actor=cast.wang_fang)


async def test_names_are_short_and_views_few(store: Store, cast: Cast) -> None:
    async with store.transaction() as session:
        for name in ("", "  ", "名" * 41):
            with pytest.raises(Invalid):
                await saved.save(session, name, "", actor=cast.li_qiang)
        with pytest.raises(Invalid):
            await saved.save(session, "长", "?q=" + "字" * 400, actor=cast.li_qiang)
        for number in range(saved.MOST):
            await saved.save(session, f"视图{number}", "", actor=cast.li_qiang)
        with pytest.raises(Conflict, match="saved_many"):
            await saved.save(session, "再一个", "", actor=cast.li_qiang)
        first = (await saved.listed(session, cast.li_qiang))[0]
        with pytest.raises(Conflict, match="saved_exists"):
            await saved.rename(session, first, "视图1", actor=cast.li_qiang)
        for person in (cast.sun_jie, cast.zhou_ning):
            with pytest.raises(NotPermitted):
                await saved.save(session, "无权", "", actor=person)
