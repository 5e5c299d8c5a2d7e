"""What a work tip's messages say: short enough, escaped, and with what each channel can do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.channels import telegram
from bot.channels.caps import CAPS
from bot.channels.degrade import degrade, read
from handlers import deliveries, tip_cards
from office.contacts import Channel
from office.outbox import Delivery
from ticketing.tip_places import CORRECTION, EDIT, KIND

FACTS: dict[str, Any] = {
    "tip": 3, "post": 7, "group": 1, "number": "2026年第3期", "short": "第3期", "type": "wording",
    "title": "关于居住证的提示", "bullets": ["按累计月数计算。"], "basis": "实施细则", "state": "current",
    "from": "2026-11-20T16:00:00+00:00", "until": "2026-12-05T09:30:00+00:00",
    "due": "2026-11-23T00:30:00+00:00", "internal": True, "why": "", "new": 0, "new_short": "",
    "new_title": "", "wanted": True, "read": 17, "addressed": 29, "token": "t", "link": "", "thread": None,
    "message": 70, "buttons": True,
}  # fmt: skip
NEW = {"new": 5, "new_short": "第5期", "new_title": "新口径"}
OLD = {"old": "第2期", "old_title": "旧口径", "document_no": "东选办〔2026〕3号"}
SIGNS = ['"', "<", "&", "_", "*", "😀", "'", "字"]


def built(kind: str, lang: str = "zh_CN", **changes: Any) -> Any:
    (method,) = deliveries.methods(Delivery(kind=kind, facts=FACTS | changes), -1001, lang)
    return method


def labels(method: Any) -> list[str]:
    return [b.text for row in method.reply_markup.inline_keyboard for b in row] if method.reply_markup else []


def test_card_has_what_the_unit_needs() -> None:
    card = built(KIND)
    assert card.text.splitlines() == [
        "📌 工作提示 2026年第3期 · 口径统一",
        "<b>关于居住证的提示</b>",
        "• 按累计月数计算。",
        "依据：实施细则",
        "11月21日（周六）起执行 · 有效期至12月5日（周六）17:30",
        "已阅 17/29 · 请于11月23日（周一）08:30前签阅",
    ]
    assert labels(card) == ["📄 全文", "✅ 已阅", "❓ 有疑问"]
    assert labels(built(KIND, wanted=False)) == ["📄 全文", "❓ 有疑问"]
    assert "已阅" not in built(KIND, wanted=False).text
    assert "Read 17/29" in built(KIND, "en").text


def test_a_day_of_another_year_bears_it_and_an_end_at_midnight_the_day_before() -> None:
    changes = {"from": "2026-12-31T16:00:00+00:00", "until": "2027-12-31T16:00:00+00:00"}
    card = built(KIND, **changes, due="2026-12-31T16:00:00+00:00", number="2026年第3期").text
    assert "2027年1月1日起执行 · 有效期至2027年12月31日24:00" in card
    assert "请于12月31日（周四）24:00前签阅" in card
    english = built(KIND, "en", **changes).text
    assert "In force from 1 Jan 2027 · Until 31 Dec 2027, 24:00 (Beijing time)" in english


def test_a_correction_says_what_it_replaces_and_a_red_head_its_number() -> None:
    for robot in ({}, {"buttons": False, "link": "https://desk.example/tips/r/abc"}):
        card = built(KIND, type="correction", **OLD, **robot).text.splitlines()
        assert card[:3] == [
            "📌 工作提示 2026年第3期（东选办〔2026〕3号） · 更正",
            "<b>关于居住证的提示</b>",
            "更正：替代工作提示第2期《旧口径》",
        ]
    # Where the title is not for those who read this one, the number alone.
    assert "更正：替代工作提示第2期\n" in built(KIND, **(OLD | {"old_title": ""})).text
    # What fell itself does not say what it once replaced; what replaces it for later, says from when.
    later = NEW | OLD | {"new_from": "2026-11-30T16:00:00+00:00"}
    for kind in (EDIT, CORRECTION):
        fallen = built(kind, state="superseded", **later).text
        assert "旧口径" not in fallen
        assert "第5期自12月1日（周二）起执行" in fallen


def test_a_tip_that_is_replaced_on_a_later_day_is_not_told_to_be_replaced_already() -> None:
    later = NEW | {"new_from": "2026-11-30T16:00:00+00:00", "new_later": True}
    card = built(EDIT, state="superseded", **later).text.splitlines()
    assert card[0] == "⏳ 本期自12月1日（周二）起由第5期替代"
    assert card[-1] == "新的一期：新口径"
    below = built(CORRECTION, state="superseded", **later).text
    assert "《关于居住证的提示》自12月1日（周二）起由第5期替代，在此以前仍按原来的规定执行。" in below
    for said in ("\n".join(card), below):
        assert "已由" not in said
    assert "⏳ From Tue 1 Dec on replaced by 第5期" in built(EDIT, "en", state="superseded", **later).text


@pytest.mark.parametrize("sign", SIGNS)
def test_the_longest_words_of_any_kind_fit_one_message(sign: str) -> None:
    longest = {
        "title": sign * 200, "bullets": [sign * 200] * 3, "basis": sign * 6000, "why": sign * 300,
        "new_title": sign * 200, "unit": sign * 80, "old": "2025年第41期", "old_title": sign * 200,
        "document_no": sign * 40, "new_from": "2027-01-04T09:30:00+00:00",
    }  # fmt: skip
    for kind in (KIND, EDIT, CORRECTION, "tip_chase"):
        for state in ("current", "expired", "superseded", "withdrawn"):
            text = built(kind, **longest, state=state, new=5, new_short="第5期").text
            assert len(text) <= 4096
            assert sign in telegram.plain_text(text)
            assert text.count("<") == text.count("<b>") + text.count("</b>")


@pytest.mark.parametrize("channel", [c for c in CAPS if c.value.endswith("_robot")], ids=lambda c: c.value)
@pytest.mark.parametrize("sign", SIGNS)
def test_the_robots_lose_and_invent_no_character(channel: Channel, sign: str) -> None:
    told = {"title": f"甲{sign}乙", "bullets": [sign * 60], "basis": sign * 4096, "old_title": f"旧{sign}旧"}
    robot = {"buttons": False, "link": "https://desk.example/tips/r/abc", "message": 0}
    card = built(KIND, **(OLD | told), **robot)
    caps = CAPS[channel]
    sent = [caps.write(read(part)) for part in degrade(card, caps)]
    assert all(one.fits for one in sent)
    whole = "".join(json.dumps(one.body, ensure_ascii=False) for one in sent)
    for words in (f"甲{sign}乙", sign * 60, sign * 99 + "…", f"旧{sign}旧", robot["link"]):
        assert json.dumps(words, ensure_ascii=False)[1:-1] in whole
    assert "&lt;" not in whole
    assert "&amp;" not in whole


def test_what_holds_no_more_keeps_its_name_only() -> None:
    replaced = built(EDIT, state="superseded", **NEW)
    assert replaced.message_id == 70
    assert "本期已由第5期替代" in replaced.text
    assert "新口径" in replaced.text
    withdrawn = built(EDIT, state="withdrawn", why="依据有误")
    assert "本期已撤回" in withdrawn.text
    assert "原因：依据有误" in withdrawn.text
    for edit, buttons in ((replaced, ["📄 看第5期"]), (withdrawn, [])):
        assert "关于居住证的提示" in edit.text
        assert "按累计月数计算" not in edit.text
        assert labels(edit) == buttons
    over = built(EDIT, state="expired")
    assert over.text.startswith("⌛ 本期已失效")
    assert "按累计月数计算" in over.text
    assert labels(over) == ["📄 全文", "❓ 有疑问"]


def test_correction_stands_in_the_same_place_and_names_the_old_one() -> None:
    said = built(CORRECTION, state="superseded", thread=9, **NEW)
    assert said.text.startswith("更正：工作提示2026年第3期《关于居住证的提示》已由第5期替代")
    assert said.message_thread_id == 9
    assert said.reply_parameters.message_id == 70
    assert said.reply_parameters.allow_sending_without_reply is True
    # Where the message has no number any more it stands alone.
    assert built(CORRECTION, state="withdrawn", message=0).reply_parameters is None


def test_robots_get_the_same_words_and_a_link() -> None:
    robot = {"buttons": False, "link": "https://desk.example/tips/r/abc", "message": 0}
    assert built(KIND, **robot).text == built(KIND).text
    for kind, state in ((KIND, "current"), (CORRECTION, "superseded"), ("tip_chase", "current")):
        method = built(kind, state=state, unit="临江街道", **robot, **NEW)
        (button,) = [b for row in method.reply_markup.inline_keyboard for b in row]
        assert (button.url, button.callback_data) == (robot["link"], None)
    assert built(KIND, **(robot | {"link": ""})).reply_markup is None


def test_reminder_names_the_unit_and_how_to_sign() -> None:
    said = built("tip_chase", unit="临江街道")
    assert said.text.splitlines() == [
        "⏰ 催阅：工作提示2026年第3期《关于居住证的提示》",
        "临江街道还没有签阅（已阅 17/29）。",
        "签阅时限：11月23日（周一）08:30",
        "阅后请点“✅ 已阅”，不清楚的请点“❓ 有疑问”。",
    ]
    assert said.reply_parameters.message_id == 70
    assert labels(said) == ["📄 全文", "✅ 已阅", "❓ 有疑问"]
    assert tip_cards.validity(FACTS | {"from": "", "until": ""}, "zh_CN") == ""
