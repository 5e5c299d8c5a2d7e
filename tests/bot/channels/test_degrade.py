"""What a channel cannot do is said in what it can: to the byte, with every character, and nothing lost."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from aiogram.enums import ParseMode
from aiogram.methods import EditMessageText, SendMessage, SendVenue, TelegramMethod
from aiogram.types import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels import spans, written
from bot.channels.caps import CAPS, Caps
from bot.channels.degrade import degrade, read
from office.contacts import Channel

WECOM, DINGTALK, FEISHU = (
    CAPS[Channel.WECOM_ROBOT], CAPS[Channel.DINGTALK_ROBOT], CAPS[Channel.FEISHU_ROBOT],
)  # fmt: skip
ROBOTS = (WECOM, DINGTALK, FEISHU)
ALL = tuple(CAPS.values())
NAMES = [caps.channel.value for caps in ALL]


def message(text: str, *rows: InlineKeyboardButton, html: bool = True) -> SendMessage:
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[button] for button in rows]) if rows else None
    mode = {} if html else {"parse_mode": None}
    return SendMessage(chat_id=7, text=text, reply_markup=keyboard, **mode)


def parts(method: TelegramMethod[Any], caps: Caps) -> list[SendMessage]:
    found = degrade(method, caps)
    assert all(isinstance(part, SendMessage) for part in found)
    assert [one for part in found for one in degrade(part, caps)] == found, "twice is as good as once"
    return [part for part in found if isinstance(part, SendMessage)]


def bodies(method: TelegramMethod[Any], caps: Caps) -> list[dict[str, Any]]:
    made = [caps.write(read(part)) for part in parts(method, caps)]
    assert all(one.fits for one in made)
    return [one.body for one in made]


def shown(body: dict[str, Any]) -> str:
    """What people read, told apart from the markup by the platforms' own rules."""
    if "content" in body:
        post = body["content"]["post"]["zh_cn"]
        rows = ["".join(span["text"] for span in row) for row in post["content"]]
        return "\n".join([post["title"], *rows] if post["title"] else rows)
    if body["msgtype"] == "text":
        text: str = body["text"]["content"]
        return text
    marked = body["markdown"].get("content", body["markdown"].get("text")).replace("  \n", "\n")
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", marked).replace("**", "")


def whole(method: SendMessage, caps: Caps) -> str:
    """The text of all parts without their numbers."""
    if caps.inline:
        read_out = [spans.plain(read(part)) for part in parts(method, caps)]
    else:
        read_out = [shown(body) for body in bodies(method, caps)]
    return "\n".join(re.sub(r"\n\(\d+/\d+\)$", "", text) for text in read_out)


@pytest.mark.parametrize(("size", "count"), [(2048, 1), (2049, 2)])
def test_wecoms_text_is_counted_in_bytes(size: int, count: int) -> None:
    text = "_" * (size - 2043) + "登" * (2043 // 3)
    assert len(text.encode()) == size
    made = bodies(message(text), WECOM)
    assert len(made) == count
    assert made[0]["msgtype"] == "text"
    assert whole(message(text), WECOM).replace("\n", "") == text
    if count == 2:
        assert [shown(body)[-5:] for body in made] == ["(1/2)", "(2/2)"]
    (longer,) = bodies(message(text.replace("_", "a") + "登"), WECOM)
    assert longer["msgtype"] == "markdown", "which takes twice as much, where nothing is in its way"


@pytest.mark.parametrize(("size", "count"), [(4096, 1), (4097, 2)])
def test_wecoms_markdown_is_counted_in_bytes(size: int, count: int) -> None:
    head = "**标题**\n"
    rest = size - len(head.encode())
    text = f"<b>标题</b>\n{'登' * (rest // 3)}{'a' * (rest % 3)}"
    made = bodies(message(text), WECOM)
    assert len(made) == count
    assert len(made[0]["markdown"]["content"].encode()) <= 4096
    if count == 1:
        assert len(made[0]["markdown"]["content"].encode()) == 4096


@pytest.mark.parametrize("caps", [DINGTALK, FEISHU], ids=["dingtalk", "feishu"])
def test_the_others_count_the_whole_request(caps: Caps) -> None:
    empty = caps.write(spans.read("", html=False))
    room = empty.limit - caps.write(spans.read("x", html=False)).size + 1
    for extra, count in ((0, 1), (1, 2)):
        text = "登" * (room // 3) + "a" * (room % 3 + extra)
        made = [caps.write(read(part)) for part in parts(message(text), caps)]
        assert len(made) == count
        assert (made[0].size == 20_000) is (count == 1)
        assert all(len(written.encoded(one.body)) <= 20_000 for one in made)


@pytest.mark.parametrize(("size", "count"), [(4096, 1), (4097, 2)])
def test_telegram_and_the_page_count_characters_that_are_shown(size: int, count: int) -> None:
    text = f"<b>{'登' * (size - 4)}</b>&lt;&amp;😀"
    button = InlineKeyboardButton(text="已阅", callback_data="1|x")
    for channel in (Channel.TELEGRAM, Channel.WEB):
        found = parts(message(text, button), CAPS[channel])
        assert [part.reply_markup is not None for part in found] == [False] * (count - 1) + [True]
        assert "".join(spans.plain(read(part)) for part in found).startswith("登登")


def test_a_long_text_is_cut_where_a_block_ends() -> None:
    block = "一、统一口径*\n" + "登" * 200
    text = "\n\n".join([block] * 5)
    found = [shown(body) for body in bodies(message(text), WECOM)]
    assert len(found) == 2
    assert all(part.startswith("一、统一口径*") for part in found)
    assert found[0].endswith("登\n(1/2)")
    lines = "\n".join(["二、操作*步骤" + "做" * 100] * 9)
    found = [shown(body) for body in bodies(message(lines), WECOM)]
    assert all(part.startswith("二、") and part.rstrip("(12/)").endswith("做\n") for part in found)


def test_an_emoji_of_several_signs_is_not_torn() -> None:
    family = "👨‍👩‍👧‍👦"
    for offset in range(30):
        text = "a" * offset + family * 120 + "🇨🇳" * 100
        for body in bodies(message(text), WECOM):
            words = shown(body).split("\n(")[0]
            assert words[0] in "a👨🇨"
            assert words[-1] in "👦🇳"


def test_buttons_become_links_on_the_last_part() -> None:
    link = InlineKeyboardButton(text="📄 全文", url="https://desk.example/t/3?a=(1)")
    tap = InlineKeyboardButton(text="❓ 有疑问", callback_data="1|q")
    copy = InlineKeyboardButton(text="查询码", copy_text=CopyTextButton(text="AB-12"))
    rows = (link, tap, copy)
    at_home = Caps(Channel.WECOM_ROBOT, written.wecom, home="https://desk.example/")
    (body,) = bodies(message("<b>第3期</b>\n要点", *rows), at_home)
    assert body["markdown"]["content"] == (
        "**第3期**\n要点\n\n[📄 全文](https://desk.example/t/3?a=%281%29)\n查询码：AB-12\n"
        "[❓ 有疑问](https://desk.example/)"
    )
    (body,) = bodies(message("<b>第3期</b>\n要点_1", *rows), WECOM)
    assert body["text"]["content"] == (
        "第3期\n要点_1\n\n📄 全文：https://desk.example/t/3?a=(1)\n查询码：AB-12"
    )
    (body,) = bodies(message("<b>第3期</b>\n<b>要</b>点<i>x</i>", *rows), FEISHU)
    assert body["content"]["post"]["zh_cn"] == {
        "title": "第3期",
        "content": [
            [{"tag": "text", "text": "要"}, {"tag": "text", "text": "点"}, {"tag": "text", "text": "x"}],
            [{"tag": "text", "text": " "}],
            [{"tag": "a", "text": "📄 全文", "href": "https://desk.example/t/3?a=(1)"}],
            [{"tag": "text", "text": "查询码：AB-12"}],
        ],
    }
    (body,) = bodies(message("<b>第3期</b>\n要点", link), DINGTALK)
    assert body["markdown"] == {
        "title": "第3期",
        "text": "**第3期**  \n要点  \n  \n[📄 全文](https://desk.example/t/3?a=%281%29)",
    }
    found = bodies(message("登" * 1000 + "*", *rows), WECOM)
    assert [("https://" in json.dumps(body)) for body in found] == [False, True]


def test_a_place_is_said_in_words_and_the_rest_is_let_through() -> None:
    venue = SendVenue(
        chat_id=7, latitude=31.2, longitude=121.5, title="临江街道登记站", address="示例路1号<2>"
    )
    for caps in ROBOTS:
        text = "\n".join(shown(body) for body in bodies(venue, caps))
        assert "临江街道登记站" in text
        assert "示例路1号<2>" in text
    assert degrade(venue, CAPS[Channel.TELEGRAM]) == [venue]
    edit = EditMessageText(chat_id=7, message_id=1, text="x")
    assert degrade(edit, WECOM) == [edit]


def test_what_a_platform_would_take_for_markup_goes_out_as_text() -> None:
    for text in (
        "a*b",
        "snake_case",
        "[x](y)",
        "1 < 2",
        "`x`",
        "# 一",
        "> 引",
        "- 一",
        "1. 一",
        "&lt;",
        "a\\b",
    ):
        for caps in (WECOM, DINGTALK):
            made = spans.as_html(spans.read(text, html=False))
            (body,) = bodies(message(f"<b>题</b>\n{made}"), caps)
            assert body == {"msgtype": "text", "text": {"content": f"题\n{text}"}}, text
    (body,) = bodies(message("<b>题</b>\nAT&amp;T 和 a & b，3、第三条"), WECOM)
    assert body["markdown"]["content"] == "**题**\nAT&T 和 a & b，3、第三条"
    (body,) = bodies(message("叫所有人 <@all>", html=False), WECOM)
    assert body["text"]["content"] == "叫所有人 ＜@all>", "nobody is called by the words of a tip"
    (body,) = bodies(message("说<b>“引号”</b>的"), WECOM)
    assert body["markdown"]["content"] == "说“引号”的", "stars beside a quotation mark would be shown"


HARD = st.text(
    st.sampled_from("<>&_*[]()`~#|\\\"'@= \n登记站a1.-😀👨‍👩‍👧🇨🇳é")
    | st.characters(exclude_categories=("Cs", "Cc")),
    max_size=300,
)


def same(text: str) -> str:
    """For comparing: without line ends, which a cut may take away, and without blanks at them."""
    return re.sub(r"\s", "", text.replace("<@", "＜@"))


@pytest.mark.parametrize("caps", ALL, ids=NAMES)
@settings(max_examples=60, deadline=None)
@given(title=HARD, text=HARD, times=st.integers(1, 14), html=st.booleans())
def test_every_character_survives_on_every_channel(
    caps: Caps, title: str, text: str, times: int, html: bool
) -> None:
    said = (text * times)[:4096]
    if html:
        words = f"<b>{spans.as_html(spans.read(title, html=False))}</b>\n"
        made = message(words + spans.as_html(spans.read(said, html=False)))
        wanted = f"{title}\n{said}"
    else:
        made, wanted = message(said, html=False), said
    assert same(whole(made, caps)) == same(wanted)


def test_plain_text_and_html_are_told_apart() -> None:
    plain = SendMessage(chat_id=7, text="<b>&lt;</b>", parse_mode=None)
    assert spans.plain(read(plain)) == "<b>&lt;</b>"
    assert spans.plain(read(SendMessage(chat_id=7, text="<b>&lt;</b>", parse_mode=ParseMode.HTML))) == "<"
    odd = "a <x> 1<2 </b> <!-- c --> <br/> <b>未完"
    assert spans.plain(spans.read(odd, html=True)) == "a <x> 1<2 </b> <!-- c --> <br/> 未完"
