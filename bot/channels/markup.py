"""The little HTML that messages may carry, made safe for our own pages."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

from markupsafe import Markup

PLAIN = frozenset({"b", "i", "u", "s", "code"})


class _Safe(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in PLAIN:
            self.parts.append(f"<{tag}>")
            self._open.append(tag)
        elif tag == "a":
            address = dict(attrs).get("href") or ""
            if address.startswith(("https://", "tel:")):
                self.parts.append(f'<a href="{escape(address)}" rel="noopener noreferrer">')
                self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.parts.append(escape(data))

    def finished(self) -> str:
        self.close()
        return "".join(self.parts) + "".join(f"</{tag}>" for tag in reversed(self._open))


def paragraphs(text: str, *, html: bool) -> Markup:
    """A message as paragraphs: blank lines part them, single line ends become breaks.

    With `html`, the few tags that our own messages use survive; anything else is shown as it was typed.
    """
    blocks = []
    for block in text.replace("\r\n", "\n").split("\n\n"):
        if not block.strip():
            continue
        lines = []
        for line in block.strip("\n").split("\n"):
            if html:
                parser = _Safe()
                parser.feed(line)
                lines.append(parser.finished())
            else:
                lines.append(escape(line))
        blocks.append(f"<p>{'<br>'.join(lines)}</p>")
    return Markup("".join(blocks))
