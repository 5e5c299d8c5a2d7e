"""A message as lines of spans: what its HTML says, before a platform's own markup is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from html.parser import HTMLParser

STYLES = frozenset({"b", "i", "u", "s", "code", "pre", "blockquote"})


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style; `href` makes it a link."""

    text: str
    styles: frozenset[str] = frozenset()
    href: str = ""


Line = tuple[Span, ...]
Lines = tuple[Line, ...]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[list[Span]] = [[]]
        self._open: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in STYLES:
            self._open.append((tag, ""))
        elif tag == "a" and (address := dict(attrs).get("href")):
            self._open.append((tag, address))
        else:
            # Not one of ours, so somebody meant it to be read.
            self.handle_data(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_data(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        for number in range(len(self._open) - 1, -1, -1):
            if self._open[number][0] == tag:
                del self._open[number]
                return
        self.handle_data(f"</{tag}>")

    def handle_comment(self, data: str) -> None:
        self.handle_data(f"<!--{data}-->")

    def handle_data(self, data: str) -> None:
        styles = frozenset(tag for tag, _ in self._open if tag != "a")
        href = next((address for tag, address in reversed(self._open) if tag == "a"), "")
        for number, part in enumerate(data.split("\n")):
            if number:
                self.lines.append([])
            if part:
                self.lines[-1].append(Span(part, styles, href))


def read(text: str, *, html: bool) -> Lines:
    """The lines of a message; with `html` the subset of tags that our messages use is understood."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not html:
        return tuple((Span(line),) if line else () for line in text.split("\n"))
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return tuple(_joined(line) for line in reader.lines)


def _joined(line: Sequence[Span]) -> Line:
    """Neighbours of one style as one span: the parser hands long text over in pieces."""
    found: list[Span] = []
    for span in line:
        before = found[-1] if found else None
        if before is not None and (before.styles, before.href) == (span.styles, span.href):
            found[-1] = replace(before, text=before.text + span.text)
        else:
            found.append(span)
    return tuple(found)


def as_html(lines: Lines) -> str:
    """The message again in the HTML subset; each tag is opened and closed within its line."""
    return "\n".join("".join(_html(span) for span in line) for line in lines)


def _html(span: Span) -> str:
    words = escape(span.text, quote=False)
    for style in sorted(span.styles):
        words = f"<{style}>{words}</{style}>"
    return f'<a href="{escape(span.href)}">{words}</a>' if span.href else words


def plain(lines: Lines) -> str:
    """The message as it reads without any markup, a link's address behind its words."""
    return "\n".join(_read_out(line) for line in lines)


def _read_out(line: Line) -> str:
    words = ""
    for number, span in enumerate(line, start=1):
        words += span.text
        if span.href and span.href != span.text:
            # Programs that make links of addresses take in what stands behind without a blank.
            words += f"：{span.href}" + (" " if number < len(line) else "")
    return words


def length(lines: Lines) -> int:
    """How many characters are shown, as Telegram counts them: in UTF-16 units, line ends included."""
    shown = "\n".join("".join(span.text for span in line) for line in lines)
    return len(shown.encode("utf-16-le", "surrogatepass")) // 2


def cut(line: Line, at: int) -> tuple[Line, Line]:
    """A line before and after its `at`-th character."""
    before: list[Span] = []
    after: list[Span] = []
    for span in line:
        room = min(max(at, 0), len(span.text))
        if room:
            before.append(replace(span, text=span.text[:room]))
        if room < len(span.text):
            after.append(replace(span, text=span.text[room:]))
        at -= len(span.text)
    return tuple(before), tuple(after)
