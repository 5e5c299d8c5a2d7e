"""What is sent to a group robot: text, the platform's own markdown, or rich text, and how long it may be.

The markdown of WeCom and DingTalk has no published way to write `*` or `<` as such. So a message in which
anything would be taken for markup goes out as plain text, where every character stands for itself; only the
others are made bold and linked.

Sources, looked at in November 2026: WeCom developer.work.weixin.qq.com/document/path/91770, DingTalk
open.dingtalk.com/document/orgapp/custom-robot-access, Feishu open.feishu.cn, "Custom bot usage guide".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.channels import spans
from bot.channels.spans import Line, Lines, Span

# UTF-8 bytes of the content.
WECOM_TEXT = 2048
WECOM_MARKDOWN = 4096
# UTF-8 bytes of the whole request: "message too long, exceed 20000 bytes" is DingTalk's refusal (460101); of
# Feishu's "20 KB" the smaller reading.
DINGTALK_REQUEST = 20_000
FEISHU_REQUEST = 20_000
# What signing adds to the body of a request to Feishu.
_SIGNED = len(',"timestamp":"1234567890","sign":""') + 44
TITLE = 60
NO_TITLE = "通知"
# What one of the two might take for markup, anywhere or at the beginning of a line.
_TAKEN = re.compile(r"[*_`\[\]<\\|]|~~|&#?\w+;")
_TAKEN_FIRST = re.compile(r"\s*(?:[#>+=-]|\d+[.)]\s)|\s{4}|\t")


@dataclass(frozen=True, slots=True)
class Written:
    """The body of a request with how much it counts, and how much it may."""

    body: dict[str, Any]
    size: int
    limit: int

    @property
    def fits(self) -> bool:
        return self.size <= self.limit


def encoded(body: dict[str, Any]) -> bytes:
    """The bytes of a body: not escaped to ASCII, which would make three bytes of Chinese six."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def wecom(lines: Lines) -> Written:
    """Text up to 2,048 bytes; markdown up to 4,096 for what is marked or long, if nothing is in its way."""
    content = spans.plain(lines)
    if _as_markdown(lines, otherwise=_bytes(content) > WECOM_TEXT):
        content = "\n".join(_markdown(line) for line in lines)
        return Written(
            {"msgtype": "markdown", "markdown": {"content": content}}, _bytes(content), WECOM_MARKDOWN
        )
    # Both kinds call somebody by `<@name>`; only here a person's own words could do so.
    content = content.replace("<@", "＜@")
    return Written({"msgtype": "text", "text": {"content": content}}, _bytes(content), WECOM_TEXT)


def dingtalk(lines: Lines) -> Written:
    """Text or markdown in a request of at most 20,000 bytes."""
    if _as_markdown(lines):
        # Two blanks: a line end alone is none there.
        content = {"title": _title(lines), "text": "  \n".join(_markdown(line) for line in lines)}
        body: dict[str, Any] = {"msgtype": "markdown", "markdown": content}
    else:
        body = {"msgtype": "text", "text": {"content": spans.plain(lines)}}
    return Written(body, len(encoded(body)), DINGTALK_REQUEST)


def feishu(lines: Lines) -> Written:
    """Rich text of lines and links, in which nothing needs escaping; a bold first line is its title."""
    title, rest = "", lines
    if len(lines) > 1 and lines[0] and all("b" in span.styles and not span.href for span in lines[0]):
        title, rest = "".join(span.text for span in lines[0]), lines[1:]
    content = {"title": title, "content": [_paragraph(line) for line in rest]}
    body = {"msg_type": "post", "content": {"post": {"zh_cn": content}}}
    return Written(body, len(encoded(body)) + _SIGNED, FEISHU_REQUEST)


def telegram(lines: Lines) -> Written:
    """As Telegram counts it: 4,096 characters after the markup is taken out."""
    return Written({}, spans.length(lines), 4096)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _title(lines: Lines) -> str:
    words = (" ".join(spans.plain((line,)).split()) for line in lines)
    return next((text[:TITLE] for text in words if text), NO_TITLE)


def _paragraph(line: Line) -> list[dict[str, str]]:
    # A line of nothing would be refused, a blank shows as one.
    return [
        {"tag": "a", "text": span.text, "href": span.href}
        if span.href
        else {"tag": "text", "text": span.text}
        for span in line
    ] or [{"tag": "text", "text": " "}]


def _as_markdown(lines: Lines, *, otherwise: bool = False) -> bool:
    """Whether there is something to mark, or another reason, and nothing that would be taken for a mark."""
    marked = any(span.href or "b" in span.styles for line in lines for span in line)
    return (marked or otherwise) and not any(_taken(line) for line in lines)


def _taken(line: Line) -> bool:
    words = "".join(span.text for span in line)
    if _TAKEN_FIRST.match(words):
        return True
    # An address that stands in the text as its own words is left alone by both.
    return any(span.text != span.href and _TAKEN.search(span.text) for span in line)


def _markdown(line: Line) -> str:
    return "".join(_marked(span, alone=len(line) == 1) for span in line)


def _marked(span: Span, *, alone: bool) -> str:
    if span.href and span.href != span.text:
        return f"[{span.text}]({quote(span.href, safe=_LINK)})"
    text = span.text
    # Stars beside a mark of punctuation within a line would be shown as stars.
    edges = bool(text) and text[0].isalnum() and text[-1].isalnum()
    if "b" in span.styles and text.strip() == text and (edges or (alone and text)):
        return f"**{text}**"
    return text


_LINK = ":/?#@!$&'*+,;=%~-._"
