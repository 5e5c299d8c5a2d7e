"""Files that leave the console, under names that say what they are in the reader's language."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from fastapi.responses import Response

MEDIA: Final = {
    "csv": "text/csv; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "yaml": "application/yaml; charset=utf-8",
}
LONGEST_NAME: Final = 80
NOT_IN_NAMES: Final = str.maketrans(dict.fromkeys('/\\:*?"<>|\r\n\t', "_"))


def attached(content: bytes | str, plain: str, name: str = "") -> Response:
    """A file to be kept by whoever asked for it.

    `plain` is its name in ASCII, whose ending says what it is; `name` the same in the reader's language, with
    no ending (RFC 6266, filename*). Raises `KeyError` for an ending that is none of `MEDIA`.
    """
    ending = plain.rpartition(".")[2]
    disposition = f'attachment; filename="{plain}"'
    if name:
        shown = f"{name.translate(NOT_IN_NAMES)[:LONGEST_NAME]}.{ending}"
        disposition += f"; filename*=UTF-8''{quote(shown, safe='')}"
    return Response(content, media_type=MEDIA[ending], headers={"Content-Disposition": disposition})
