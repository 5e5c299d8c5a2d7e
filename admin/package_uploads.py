"""A posted roll package: hundreds of megabytes, so it lies in a file, removed when the page is done."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from admin import forms
from admin.forms import Form
from admin.pages import SignedOut, services, who
from admin.uploads import FILE_FIELD, MOST_FIELDS, bounded
from knowledge.roll.package import MAGIC
from office import staff
from office.errors import Invalid, NotPermitted
from office.staff import Permission

LARGEST = 1024 * 1024 * 1024
"""Bytes: a package of fifty million rows; one of ten million has 210 MB."""
# The rest of what is too large is read without being kept, up to here: a browser cut off shows no page.
MOST_DRAINED = LARGEST + 256 * 1024 * 1024
_FIELDS = 64 * 1024


@dataclass(frozen=True, slots=True)
class PostedPackage(Form):
    """The fields of the form, and where its package lies until the page is done; None without one.

    `fault` is why there is none: it is told by `chosen`, on the page that the form came from.
    """

    path: Path | None = None
    fault: Invalid | None = None


async def read(request: Request) -> Form:
    """The posted form with its package, for `pages.signed_in(Permission.PREPARE_ROLL, package_uploads.read)`.

    Not a byte is taken from whoever may not prepare a roll. What does not begin as a package does, above all
    a table of voters that was chosen by mistake, is refused before it gets a name. The route needs
    `removed_afterwards` among its dependencies. Raises `SignedOut`, `NotPermitted`, `Invalid`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        return await forms.read(request)
    async with services(request).store.reading() as session:
        found = await who(request, session)
    if found is None:
        raise SignedOut
    if not staff.may(found[0], Permission.PREPARE_ROLL):
        raise NotPermitted("not_permitted")
    too_large = Invalid("upload_large", most=LARGEST // 1024 // 1024)
    body = bounded(request, most=LARGEST, drained=MOST_DRAINED, refusal=too_large)
    parser = MultiPartParser(
        request.headers, body, max_files=1, max_fields=MOST_FIELDS, max_part_size=_FIELDS
    )
    try:
        posted = await parser.parse()
    except MultiPartException as error:
        raise Invalid("form_broken") from error
    fields: dict[str, tuple[str, ...]] = {}
    path: Path | None = None
    fault: Invalid | None = None
    try:
        for name, value in posted.multi_items():
            if not isinstance(value, UploadFile):
                fields[name] = (*fields.get(name, ()), forms.clean(value))
            elif name == FILE_FIELD and value.size:
                path = request.state.package = await asyncio.to_thread(_kept, value.file)
    except Invalid as error:
        fault = error
    finally:
        await posted.close()
    return PostedPackage(fields, path, fault)


async def removed_afterwards(request: Request) -> AsyncIterator[None]:
    """Dependency of a route that takes packages: whatever happens, none stays."""
    try:
        yield
    finally:
        path: Path | None = getattr(request.state, "package", None)
        if path is not None:
            await asyncio.to_thread(path.unlink, missing_ok=True)


def chosen(form: Form) -> Path:
    """The package of the form; raises `Invalid`: "upload_missing", "roll.no_package", "roll.no_room"."""
    if isinstance(form, PostedPackage) and form.fault is not None:
        raise form.fault
    path = form.path if isinstance(form, PostedPackage) else None
    if path is None:
        raise Invalid("upload_missing")
    return path


def _kept(file: IO[bytes]) -> Path:
    file.seek(0)
    if file.read(len(MAGIC)) != MAGIC:
        raise Invalid("roll.no_package")
    file.seek(0)
    with tempfile.NamedTemporaryFile(prefix="one-window-package-", delete=False) as target:
        path = Path(target.name)
        try:
            shutil.copyfileobj(file, target, 1024 * 1024)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise Invalid("roll.no_room") from error
    return path
