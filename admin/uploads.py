"""A posted file: one at a time, of bounded size, kept only in memory or a temporary file without a name."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
import zlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from admin import forms
from admin.forms import Form
from admin.pages import SignedOut, services, who
from office import redact
from office.errors import Invalid

LARGEST_FILE = 5 * 1024 * 1024
# A file that goes along with its page comes back as text, a third longer; a few fields stand beside it.
LARGEST_POST = LARGEST_FILE * 4 // 3 + 256 * 1024
# A browser that is cut off shows no page at all, so what is too large is read to its end up to here.
MOST_DRAINED = 64 * 1024 * 1024
MOST_FIELDS = 20
LONGEST_NAME = 80
FILE_FIELD, KEPT_FIELD, NAME_FIELD = "file", "kept_file", "kept_name"
_NOT_IN_A_NAME = re.compile(r"[^\w.()（）\- ]")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file somebody has chosen: a name that is safe to show, and what is in it."""

    name: str
    data: bytes

    def kept(self) -> dict[str, str]:
        """The file as hidden fields of the page that shows it, so that its next form brings it back."""
        packed = base64.b64encode(zlib.compress(self.data, 6)).decode()
        return {KEPT_FIELD: packed, NAME_FIELD: self.name}


@dataclass(frozen=True, slots=True)
class Posted(Form):
    """The fields of a form that was posted with a file, or brings one back."""

    upload: Upload | None = None

    @property
    def typed(self) -> dict[str, str]:
        # The bare `super()` knows another class: slots make this one anew.
        return Form(
            {name: values for name, values in self.fields.items() if name not in (KEPT_FIELD, NAME_FIELD)}
        ).typed


async def read(request: Request, *, largest: int = LARGEST_FILE) -> Form:
    """The posted form with its file, `largest` bytes at most, for `pages.signed_in(permission, read)`.

    Nobody but a person who is signed in may make the desk read a file: raises `SignedOut` before a byte of it
    is taken. Raises `Invalid` for a file or a form that is too large, broken, or more than one file.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        return await forms.read(request)
    # A short look of its own: a transaction may not stay open while a slow line delivers a file.
    async with services(request).store.reading() as session:
        if await who(request, session) is None:
            raise SignedOut
    post = max(LARGEST_POST, largest + 256 * 1024)
    body = bounded(request, most=post, drained=MOST_DRAINED, refusal=_too_large(largest))
    parser = MultiPartParser(request.headers, body, max_files=1, max_fields=MOST_FIELDS, max_part_size=post)
    try:
        found = await parser.parse()
    except MultiPartException as error:
        raise Invalid("form_broken") from error
    try:
        return await _posted(found, largest)
    finally:
        await found.close()


def chosen(form: Form) -> Upload:
    """The file of the form; raises `Invalid("upload_missing")` without one, or with an empty one."""
    upload = form.upload if isinstance(form, Posted) else None
    if upload is None or not upload.data:
        raise Invalid("upload_missing")
    return upload


def safe_name(name: str, otherwise: str = "file") -> str:
    """A name without folders, signs that mislead the eye, or anybody's number; at most 80 characters."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFKC", name))[-1]
    plain = " ".join(_NOT_IN_A_NAME.sub(" ", redact.text(last).text).split()).lstrip(".")
    stem, dot, ending = plain.rpartition(".")
    if dot and len(ending) <= 5:
        return f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}" if stem else otherwise
    return plain[:LONGEST_NAME] or otherwise


async def bounded(
    request: Request, *, most: int, drained: int, refusal: Invalid
) -> AsyncGenerator[bytes, None]:
    """The body of a request up to `most` bytes; a larger one is read on to `drained`, then refused.

    A browser that is cut off while it sends shows no page at all, so a refusal has to wait for the end.
    """
    taken = 0
    async for part in request.stream():
        taken += len(part)
        if taken <= most:
            yield part
        elif taken > drained:
            break
    if taken > most:
        raise refusal


async def _posted(found: FormData, largest: int) -> Posted:
    fields: dict[str, tuple[str, ...]] = {}
    upload: Upload | None = None
    for name, value in found.multi_items():
        if isinstance(value, UploadFile):
            # An empty choice is sent as a file without a name.
            if name == FILE_FIELD and value.filename:
                upload = Upload(safe_name(value.filename), await _content(value, largest))
        else:
            fields[name] = (*fields.get(name, ()), forms.clean(value))
    return Posted(fields, upload or _brought_back(fields))


async def _content(file: UploadFile, largest: int) -> bytes:
    data = await file.read(largest + 1)
    if len(data) > largest:
        raise _too_large(largest)
    return data


def _brought_back(fields: Mapping[str, tuple[str, ...]]) -> Upload | None:
    packed = fields.get(KEPT_FIELD, ("",))[-1]
    if not packed:
        return None
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(base64.b64decode(packed, validate=True), LARGEST_FILE + 1)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise Invalid("form_broken") from error
    if len(data) > LARGEST_FILE:
        raise _too_large()
    return Upload(safe_name(fields.get(NAME_FIELD, ("",))[-1]), data)


def _too_large(largest: int = LARGEST_FILE) -> Invalid:
    return Invalid("upload_large", most=largest // 1024 // 1024)
