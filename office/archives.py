"""Archives that do not tell when they were packed: the same content at the same moment, the same bytes."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime

from office.hours import BEIJING


def still(packed: bytes, at: datetime) -> bytes:
    """The archive again with all its times set to `at` (Beijing time) and its parts in a fixed order.

    Zip files count in steps of two seconds and know no time zone.
    """
    local = at.astimezone(BEIJING)
    moment = (local.year, local.month, local.day, local.hour, local.minute, local.second)
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(packed)) as found,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as kept,
    ):
        for name in sorted(found.namelist(), key=_first):
            entry = zipfile.ZipInfo(name, moment)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 0, 0
            kept.writestr(entry, found.read(name))
    return made.getvalue()


def _first(name: str) -> tuple[bool, str]:
    # Readers that go by the first entry expect this one there.
    return name != "[Content_Types].xml", name
