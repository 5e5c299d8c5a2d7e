"""A posted file: bounded, sanitised, kept nowhere, and taken only from our own page and signed-in people."""

from __future__ import annotations

import base64
import os
import tempfile
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse, Response

from admin import uploads
from admin.pages import Desk, signed_in
from office.staff import Permission
from tests.admin.conftest import Browser, console
from tests.make import Cast

Taking = Annotated[Desk, Depends(signed_in(Permission.DRAFT_RULES, uploads.read))]


@pytest.fixture
def bare_app() -> FastAPI:
    return console()


@pytest.fixture
def taking(app: FastAPI) -> None:
    """A route that takes a file and tells what came of it."""

    async def take(desk: Taking) -> Response:
        upload = uploads.chosen(desk.form)
        told = {
            "name": upload.name,
            "size": len(upload.data),
            "typed": desk.form.typed,
            "kept": upload.kept(),
        }
        return JSONResponse(told)

    app.add_api_route("/admin/take", take, methods=["POST"])


@pytest.fixture
async def browser(cast: Cast, signed_in: Callable[..., Any], taking: None) -> Browser:
    made: Browser = await signed_in(cast.li_qiang)
    await made.get("/admin/hours")
    return made


def a_file(data: bytes, name: str = "登记站.xlsx") -> dict[str, Any]:
    return {"files": {"file": (name, data, "application/octet-stream")}}


async def test_a_file_comes_in_with_its_fields(browser: Browser) -> None:
    taken = (await browser.post("/admin/take", {"mode": "add"}, **a_file(b"abc"))).json()
    assert (taken["name"], taken["size"], taken["typed"]) == ("登记站.xlsx", 3, {"mode": "add"})


async def test_a_file_goes_along_with_its_page_and_comes_back(browser: Browser) -> None:
    data = bytes(range(256)) * 999
    kept = (await browser.post("/admin/take", **a_file(data))).json()["kept"]
    again = await browser.post("/admin/take", kept | {"basis": "依据"}, files={"none": ("", b"")})
    assert again.json()["size"] == len(data)
    assert again.json()["name"] == "登记站.xlsx"
    # What the person did not type is not shown as theirs when a form is refused.
    assert again.json()["typed"] == {"basis": "依据"}
    newer = await browser.post("/admin/take", kept, **a_file(b"newer", "b.csv"))
    assert (newer.json()["name"], newer.json()["size"]) == ("b.csv", 5)


async def test_no_file_an_empty_one_and_two_are_refused_in_words(browser: Browser) -> None:
    for more in ({"files": {"file": ("", b"")}}, a_file(b""), {"files": {"other": ("a", b"x")}}, {}):
        refused = await browser.post("/admin/take", **more)
        assert refused.status_code == 422
        assert "请先选一个文件" in refused.text
    two = [("file", ("a", b"x")), ("file", ("b", b"y"))]
    refused = await browser.client.post("/admin/take", data={"csrf": browser.hidden("csrf")}, files=two)
    assert refused.status_code == 422
    assert "表单不完整" in refused.text


async def test_five_megabytes_are_the_most(browser: Browser) -> None:
    most = uploads.LARGEST_FILE
    taken = await browser.post("/admin/take", **a_file(os.urandom(most)))
    assert taken.json()["size"] == most
    for size in (most + 1, uploads.LARGEST_POST + 1):
        refused = await browser.post("/admin/take", **a_file(b"x" * size))
        assert refused.status_code == 422
        assert "文件太大，最多5 MB" in refused.text


async def test_an_endless_file_is_cut_off_without_being_kept(browser: Browser) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
        while True:
            sent += 1 << 20
            yield b"x" * (1 << 20)

    refused = await browser.client.post(
        "/admin/take", content=endless(), headers={"content-type": "multipart/form-data; boundary=b"}
    )
    assert refused.status_code == 422
    assert "文件太大" in refused.text
    assert sent <= uploads.MOST_DRAINED + (2 << 20)


async def test_a_small_form_that_unpacks_into_a_large_file_is_refused(browser: Browser) -> None:
    bomb = base64.b64encode(zlib.compress(b"\0" * (uploads.LARGEST_FILE + 1))).decode()
    for packed, told in ((bomb, "文件太大"), ("no base64!", "表单不完整"), ("AAAA", "表单不完整")):
        refused = await browser.post("/admin/take", {"kept_file": packed}, files={"none": ("", b"")})
        assert refused.status_code == 422
        assert told in refused.text


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--b\r\n"),
        ("multipart/form-data; boundary=b", b"nothing of the kind"),
        ("multipart/form-data; boundary=b", b"--b\r\ncontent-disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
        ("application/json", b"{}"),
    ],
)
async def test_a_broken_body_is_refused_in_words(browser: Browser, kind: str, body: bytes) -> None:
    refused = await browser.client.post("/admin/take", content=body, headers={"content-type": kind})
    assert refused.status_code in (403, 422)
    assert "Traceback" not in refused.text


async def test_only_our_own_page_sends_a_file(browser: Browser) -> None:
    for csrf in ("", "0" * 64):
        refused = await browser.post("/admin/take", {"csrf": csrf}, **a_file(b"abc"))
        assert refused.status_code == 403


async def test_of_a_stranger_not_a_byte_is_taken(browsing: Callable[..., Browser], taking: None) -> None:
    taken = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        taken += 1
        yield b"--b--"

    refused = await browsing().client.post(
        "/admin/take", content=body(), headers={"content-type": "multipart/form-data; boundary=b"}
    )
    assert refused.status_code == 401
    assert taken <= 1  # the client's own first step


async def test_who_may_not_draft_sends_no_file(
    cast: Cast, signed_in: Callable[..., Any], taking: None
) -> None:
    observer = await signed_in(cast.zhou_ning)
    await observer.get("/admin/hours")
    assert (await observer.post("/admin/take", **a_file(b"abc"))).status_code == 403


async def test_nothing_is_left_on_the_disk(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = os.listdir(tmp_path)
    await browser.post("/admin/take", **a_file(b"x" * 3_000_000))
    assert os.listdir(tmp_path) == before


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("登记站 第2版.xlsx", "登记站 第2版.xlsx"),
        ("资料\\周宁\\登记站.xlsx", "登记站.xlsx"),
        ("../../etc/passwd", "passwd"),
        (".xlsx", "xlsx"),
        ("", "file"),
        ("...", "file"),
        ("<script>alert(1)</script>.csv", "script .csv"),
        ("a\u202egpj.csv", "a gpj.csv"),
        ("a\x00b\r\nc.csv", "a b c.csv"),
        ('a"; rm -rf.csv', "a rm -rf.csv"),
        ("Ｆｕｌｌ．ｘｌｓｘ", "Full.xlsx"),
        ("x" * 300 + ".xlsx", "x" * 75 + ".xlsx"),
        ("x" * 300, "x" * 80),
        ("名单13800000000.csv", "名单 号码已隐去 .csv"),
    ],
)
def test_a_name_is_made_safe(name: str, safe: str) -> None:
    assert uploads.safe_name(name) == safe
