"""Markup: our own few tags survive, everything else is shown as it was typed."""

from __future__ import annotations

import html
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.markup import paragraphs

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<b onmouseover=alert(1)>加粗</b>",
    "<svg/onload=alert(1)>",
    '<a href="javascript:alert(1)">点我</a>',
    '<a href="JaVaScRiPt:alert(1)">点我</a>',
    '<a href=" https://x.example">点我</a>',
    '<a href="data:text/html,<script>alert(1)</script>">点我</a>',
    '<a href="//evil.example">点我</a>',
    '<a href="http://evil.example">点我</a>',
    '<a href="https://ok.example/" onclick="alert(1)" style="x">点我</a>',
    "<a href='https://ok.example/\"><script>alert(1)</script>'>点我</a>",
    "<a href=https://ok.example/><b>x</a></b>",
    "<iframe src=https://evil.example></iframe>",
    "<style>*{display:none}</style>",
    "<textarea><script>alert(1)</script>",
    "<title><b>x",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo 1 ?>",
    "<b><i><b>",
    "</b></p></div></body>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "<form action=/admin><input name=csrf>",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content=0>",
]
ALLOWED = {"p", "br", "b", "i", "u", "s", "code", "a"}


class Seen(HTMLParser):
    """What a browser would find."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment")


def harmless(shown: str) -> Seen:
    seen = Seen()
    seen.feed(shown)
    seen.close()
    assert seen.open == []
    assert set(seen.tags) <= ALLOWED
    assert {name for name, _ in seen.attributes} <= {"href", "rel"}
    addresses = [value or "" for name, value in seen.attributes if name == "href"]
    assert all(address.startswith(("https://", "tel:")) for address in addresses)
    return seen


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_markup_does_nothing(payload: str) -> None:
    harmless(str(paragraphs(f"前 {payload} 后", html=True)))
    plain = str(paragraphs(payload, html=False))
    assert set(harmless(plain).tags) <= {"p", "br"}
    assert html.unescape(plain.removeprefix("<p>").removesuffix("</p>")) == payload


@given(st.text(alphabet="<>/=\"'&;ab script:\n#x0", max_size=60), st.booleans())
def test_no_text_gets_out_of_its_paragraph(text: str, as_html: bool) -> None:
    harmless(str(paragraphs(text, html=as_html)))


def test_our_own_markup_survives() -> None:
    text = '<b>【标题】</b>\n第二行 &lt;3\n\n<i>依据</i> <a href="https://ok.example/?a=1&amp;b=2">细则</a>'
    assert str(paragraphs(text, html=True)) == (
        "<p><b>【标题】</b><br>第二行 &lt;3</p><p><i>依据</i> "
        '<a href="https://ok.example/?a=1&amp;b=2" rel="noopener noreferrer">细则</a></p>'
    )


def test_what_a_person_typed_is_shown_as_typed() -> None:
    assert str(paragraphs("1 < 2 & <b>不是</b>\r\n下一行\n\n\n\n新段", html=False)) == (
        "<p>1 &lt; 2 &amp; &lt;b&gt;不是&lt;/b&gt;<br>下一行</p><p>新段</p>"
    )
