"""What comes in with a form: its fields, the proof that our own page sent it, and from where it came."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from office.errors import Invalid, NotPermitted

LARGEST_FORM = 256 * 1024
MOST_FIELDS = 200
TOKEN_FIELD = "csrf"
TOKEN_HEADER = "x-csrf-token"
# What our own pages put into a form, and ticks: a person wrote none of it.
_CARRIED = frozenset(
    {"run", "round", "tip", "back", "before", "seen", "act", "action", "view", "way", "sure"}
)
# Never shown again to whoever typed them, and of no use to them either.
_NOT_TYPED = frozenset({TOKEN_FIELD, "password", "version", "seen_post", "next", "version_id"})
# A work tip is read from a group's link before the sign-in, which leads back there.
_OUR_PAGE = re.compile(r"/admin(?:[/?][^\\\s\x00-\x1f]*)?|/tips/r/[A-Za-z0-9_-]{20,64}")


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of one posted form, as typed, with plain line breaks."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The field's last value, or an empty text."""
        values = self.fields.get(name, ())
        return values[-1] if values else ""

    def all(self, name: str) -> tuple[str, ...]:
        """All values of a field that may come several times."""
        return self.fields.get(name, ())

    def lines(self, name: str) -> tuple[str, ...]:
        """A field with one thing a line: trimmed, without empty lines, each once."""
        return tuple(dict.fromkeys(line.strip() for line in self.text(name).splitlines() if line.strip()))

    def number(self, name: str) -> int:
        """A number our own page put there; raises `Invalid("form_broken")` for anything else."""
        text = self.text(name)
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise Invalid("form_broken")
        return int(text)

    def day(self, name: str) -> date | None:
        """A day or nothing; raises `Invalid("day_unreadable")`."""
        text = self.text(name).strip()
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise Invalid("day_unreadable", day=text[:20]) from error

    @property
    def typed(self) -> dict[str, str]:
        """What a person wrote, to be shown again when the form could not be taken."""
        return {
            name: "\n".join(values)
            for name, values in self.fields.items()
            if name not in _NOT_TYPED and any(value.strip() for value in values)
        }

    @property
    def wrote(self) -> bool:
        """Whether a person filled anything in, and did not only press a button."""
        return bool(self.typed.keys() - _CARRIED)


async def read(request: Request, most_fields: int = MOST_FIELDS, largest: int = LARGEST_FORM) -> Form:
    """The posted form; raises `Invalid` if it is too large or no plain form.

    Files are never taken here, so the multipart kind is refused as a whole; see `uploads`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("", "application/x-www-form-urlencoded"):
        raise Invalid("form_broken")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > largest:
            raise Invalid("form_large")
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=most_fields)
    except ValueError as error:
        raise Invalid("form_broken") from error
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        fields[name] = (*fields.get(name, ()), clean(value))
    return Form(fields)


def clean(text: str) -> str:
    """Text as it may be kept: line breaks of one kind, no NUL, which PostgreSQL refuses."""
    return text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")


def token(secret: bytes, anchor: str) -> str:
    """The form token of the browser that holds the cookie `anchor`."""
    return hmac.new(secret, b"form:" + anchor.encode(), hashlib.sha256).hexdigest()


def check(request: Request, form: Form, secret: bytes, anchor: str) -> None:
    """Raise `NotPermitted("form_foreign")` unless one of our own pages sent this form to this browser.

    The browser's own word about the origin is the second line. `Origin: null` is no sign of a foreign
    page: our referrer policy makes browsers send it with our own forms.
    """
    given = form.text(TOKEN_FIELD) or request.headers.get(TOKEN_HEADER, "")
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin", "null")
    foreign = (
        site not in ("same-origin", "none")
        if site
        else origin != "null" and urlsplit(origin).netloc != request.headers.get("host")
    )
    if foreign or not anchor or not hmac.compare_digest(given.encode(), token(secret, anchor).encode()):
        raise NotPermitted("form_foreign")


def local(address: str, otherwise: str) -> str:
    """`address` if it is a page of this console, else `otherwise`: no form may send people elsewhere."""
    return address if _OUR_PAGE.fullmatch(address) else otherwise


def source(request: Request, secret: bytes, proxies: Collection[str]) -> str:
    """Where a request comes from, for budgets only: a keyed digest of the client's network address.

    `X-Forwarded-For` counts only if a configured proxy wrote it, read from the right until the first
    address that is no such proxy. IPv6 counts by /64, because one household holds all of it.
    """
    trusted = [ipaddress.ip_network(proxy, strict=False) for proxy in proxies]

    def parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        try:
            address = ipaddress.ip_address(text.strip().strip("[]"))
        except ValueError:
            return None
        return getattr(address, "ipv4_mapped", None) or address

    peer = request.client.host if request.client else ""
    client = parsed(peer)
    hops = [hop for value in request.headers.getlist("x-forwarded-for") for hop in value.split(",")]
    while client and hops and any(client in network for network in trusted):
        before = parsed(hops.pop())
        if before is None:
            break
        client = before
    if isinstance(client, ipaddress.IPv6Address):
        where = str(ipaddress.ip_network((client, 64), strict=False))
    else:
        where = str(client or peer)
    return hmac.new(secret, b"source:" + where.encode(), hashlib.sha256).hexdigest()[:32]
