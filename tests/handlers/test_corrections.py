"""A correction as its reader sees it, and the button under it."""

from __future__ import annotations

from aiogram.methods import SendMessage

from handlers import deliveries
from handlers.callbacks import Op, tap
from knowledge import answer
from office.outbox import Delivery
from tests.journeys.conversation import Chat, Town
from tests.make import an_entry
from ticketing import recalling
from ticketing.recalls import Recall, Recalled, RecallState

FACTS = {
    "recall": 1, "told": "2026-11-20", "old": "十五日 <内>", "new": "五日内", "basis": "选举法第二十九条",
}  # fmt: skip


async def sent(town: Town) -> int:
    """A recall of what 张敏 was told, already laid out."""
    async with town.store.transaction() as session:
        version = await an_entry(session, town.cast, town.now, "K-0901")
        session.add(
            answer.AnswerGiven(contact_id=town.cast.zhang_min.id, entry_version_id=version.id, at=town.now)
        )
        recall = Recall(
            entry_id=version.entry_id, new_version_id=None, old_text="旧", new_text="新",
            state=RecallState.SENT, proposed_at=town.now,
        )  # fmt: skip
        session.add(recall)
        await session.flush()
        told = Recalled(recall_id=recall.id, contact_id=town.cast.zhang_min.id, told_at=town.now)
        session.add(told)
        await session.flush()
        await recalling.lay_out(session, now=town.now)
        return recall.id


def test_the_message_names_day_both_wordings_and_basis(town: Town) -> None:
    delivery = Delivery(kind=recalling.KIND, facts=FACTS, created_at=town.now)
    (method,) = deliveries.methods(delivery, 5001, "zh_CN")
    assert isinstance(method, SendMessage)
    assert method.text == (
        "更正：11月20日（周五）我们告诉您“十五日 &lt;内&gt;”，现统一为“五日内”。"
        "依据：选举法第二十九条。给您添麻烦了。"
    )
    (english,) = deliveries.methods(delivery, 5001, "en")
    assert isinstance(english, SendMessage)
    assert english.text.startswith("Correction: on Fri 20 Nov")


async def test_the_first_tap_counts_and_the_second_is_told_when(town: Town, chat: Chat) -> None:
    recall = await sent(town)
    first = await chat.taps_data(tap(Op.CORRECTED, recall))
    town.later(minutes=5)
    second = await chat.taps_data(tap(Op.CORRECTED, recall))
    assert first.toast == "谢谢，已记下您看到了更正。"
    assert second.toast == "您已在11月20日（周五） 10:06确认过。"


async def test_somebody_else_cannot_acknowledge_it(town: Town) -> None:
    recall = await sent(town)
    replies = await town.chat(7001).taps_data(tap(Op.CORRECTED, recall))
    assert "谢谢" not in (replies.toast or "")
    async with town.store.reading() as session:
        assert (await session.get_one(Recalled, 1)).acknowledged_at is None
