"""The offline machine: keys, a sample, a package; nothing but what was asked for stays on the disk."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from python_calamine import CalamineWorkbook

from bot import roll, roll_sample
from bot.roll import Order
from knowledge.roll import columns, keys, package, packing, receipts, sample
from knowledge.roll.records import Mark
from tests.shape.tree import ROOT
from tests.voters import LIN_YAN, RARE, TAO_MIN

ROWS = 1200
Said = pytest.CaptureFixture[str]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> Path:
    """A folder with the keys of an election, and a temporary folder of its own."""
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    found = tmp_path / "desk"
    found.mkdir()
    assert roll.make_keys("东浦区2026", found / "offline.key", found / "service.key") == 0
    return found


def order(desk: Path, file: str = "sample.csv", pack: str = "riverside", **more: object) -> Order:
    return Order(desk / file, pack, desk / "offline.key", desk / "out.roll", **more)  # type: ignore[arg-type]


def a_sample(desk: Path, file: str = "sample.csv", pack: str = "riverside", rows: int = ROWS) -> None:
    assert roll_sample.write_sample(desk / file, pack, rows, force=False) == 0


def marks(path: Path) -> dict[bytes, Mark]:
    found = {}
    for block in package.blocks(path):
        for record in np.atleast_1d(block):
            found[record["digest"].tobytes()] = Mark(int(record["mark"]))
    return found


def contents(path: Path) -> str:
    """Everything that is in a file, also in the parts of an archive."""
    content = path.read_bytes()
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            content = b"".join(packed.read(name) for name in packed.namelist())
    return content.decode("utf-8", "replace")


# --- keys -------------------------------------------------------------------------------------------------


def test_two_key_files_of_one_key_are_made(desk: Path, capsys: Said) -> None:
    offline, service = keys.read_offline(desk / "offline.key"), keys.read_service(desk / "service.key")
    assert offline.digest == service
    assert service.election == "东浦区2026"
    said = capsys.readouterr().out
    assert f"签名公钥：{offline.signer}" in said
    assert offline.digest.as_text() not in said


def test_keys_are_never_written_over(desk: Path, capsys: Said) -> None:
    before = (desk / "offline.key").read_bytes()
    assert roll.make_keys("东浦区2026", desk / "new.key", desk / "service.key") == 2
    assert roll.make_keys("东浦区2026", desk / "new.key", desk / "new.key") == 2
    assert roll.make_keys(" ", desk / "new.key", desk / "other.key") == 2
    assert (desk / "offline.key").read_bytes() == before
    assert sorted(path.name for path in desk.iterdir()) == ["offline.key", "service.key"]


# --- the sample -------------------------------------------------------------------------------------------


def test_three_voters_are_shown_as_examples(capsys: Said) -> None:
    assert roll_sample.show_sample(3) == 0
    said = capsys.readouterr().out
    assert said.count("示例　") == 3
    for row in sample.voters(3):
        assert row.number in said
        assert receipts.written(row.receipt) in said


def test_the_faults_of_a_sample_are_counted(desk: Path, capsys: Said) -> None:
    a_sample(desk)
    said = capsys.readouterr().out
    assert "1,200" in said
    assert "跨选区重复 (in two districts): " in said
    assert roll_sample.write_sample(desk / "sample.csv", "riverside", ROWS, force=False) == 2
    assert roll_sample.write_sample(desk / "sample.csv", "riverside", ROWS, force=True) == 0
    assert roll_sample.write_sample(desk / "sample.txt", "riverside", ROWS, force=True) == 2
    assert roll_sample.write_sample(desk / "sample.csv", "riverside", 0, force=True) == 2


# --- a package --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["sample.csv", "sample.xlsx"])
@pytest.mark.parametrize("pack", ["riverside", "cornerstone"])
def test_a_sample_becomes_a_package(desk: Path, capsys: Said, file: str, pack: str) -> None:
    a_sample(desk, file, pack)
    assert roll.build_package(order(desk, file, pack, election_day="2026-12-29")) == 0
    made = package.check(desk / "out.roll")
    key = keys.read_offline(desk / "offline.key")
    assert (made.header.signer, made.header.election) == (key.signer, "东浦区2026")
    assert made.header.counts["read"] == ROWS
    assert made.header.counts["refused"] > 0
    found = marks(desk / "out.roll")
    for row in list(sample.voters(sample.SOUND))[::7]:
        wanted = Mark.REGISTERED if row.status is columns.Status.REGISTERED else Mark(0)
        assert found[key.digest.identity(row.name, row.number)] == wanted
    said = capsys.readouterr().out
    assert made.hash in said
    assert "同一证件号，姓名不同" in said
    assert "平" in said


def test_both_formats_and_both_maps_give_the_same_rows(desk: Path) -> None:
    found = []
    for pack in columns.names():
        for file in (f"{pack}.csv", f"{pack}.xlsx"):
            a_sample(desk, file, pack)
            assert roll.build_package(order(desk, file, pack, force=True)) == 0
            found.append(marks(desk / "out.roll"))
    assert all(one == found[0] for one in found)


def test_only_what_was_asked_for_is_left_and_names_nobody(desk: Path, tmp_path: Path, capsys: Said) -> None:
    a_sample(desk)
    before = {path.name for path in desk.iterdir()}
    capsys.readouterr()
    assert roll.build_package(order(desk)) == 0
    left = {path.name for path in desk.iterdir()} - before
    assert left == {"out.roll", "out-report.xlsx"}
    assert not list((tmp_path / "temp").iterdir())
    told = capsys.readouterr()
    seen = "".join(contents(desk / name) for name in left) + told.out + told.err
    for row in sample.voters(ROWS):
        assert row.number[:17] not in seen
        assert len(row.name) < 3 or row.name not in seen
    if os.name == "posix":
        assert all((desk / name).stat().st_mode & 0o077 == 0 for name in left)


def test_receipts_are_listed_on_request(desk: Path) -> None:
    a_sample(desk)
    assert roll.build_package(order(desk, receipts=desk / "slips.xlsx")) == 0
    key, found = keys.read_offline(desk / "offline.key"), marks(desk / "out.roll")
    sheet = CalamineWorkbook.from_path(desk / "slips.xlsx").get_sheet_by_index(0).to_python()
    assert len(sheet) - 2 == package.check(desk / "out.roll").header.counts["receipts"] > 1000
    first = next(iter(sample.voters(1)))
    row, name, unit, group, code = sheet[2]
    assert (row, name, unit, group) == (2, first.name, first.place.unit, first.place.group)
    assert found[key.digest.receipt(receipts.read_code(code))] & Mark.RECEIPT


def test_the_protected_are_marked_and_added(desk: Path) -> None:
    a_sample(desk)
    inside = next(iter(sample.voters(1)))
    listed = [("公民身份号码", "姓名"), (inside.number, inside.name), (LIN_YAN.number, LIN_YAN.name)]
    with (desk / "protected.csv").open("w", encoding="gb18030", newline="") as file:
        # 林䶮 has a character that GB 18030 writes with four bytes.
        csv.writer(file).writerows(listed)
    assert roll.build_package(order(desk, suppress=desk / "protected.csv")) == 0
    key, found = keys.read_offline(desk / "offline.key"), marks(desk / "out.roll")
    for one in (inside, LIN_YAN):
        assert found[key.digest.identity(one.name, one.number)] == Mark.SUPPRESSED
    assert key.digest.identity(TAO_MIN.name, TAO_MIN.number) not in found
    assert package.check(desk / "out.roll").header.counts["suppressed"] == 2


def test_one_unreadable_row_of_the_protected_stops_everything(desk: Path, capsys: Said) -> None:
    a_sample(desk)
    (desk / "protected.csv").write_text(
        f"姓名,身份证号\n{LIN_YAN.name},{LIN_YAN.number[:17]}\n", encoding="utf-8"
    )
    capsys.readouterr()
    assert roll.build_package(order(desk, suppress=desk / "protected.csv")) == 2
    told = capsys.readouterr().err
    assert "第 2 行" in told
    assert LIN_YAN.number[:17] not in told
    assert not set(told) & set(RARE)
    assert not (desk / "out.roll").exists()


def test_rows_of_nobody_are_added_and_listed(desk: Path) -> None:
    a_sample(desk)
    assert roll.build_package(order(desk, canaries=4, canary_list=desk / "nobody.csv")) == 0
    key, found = keys.read_offline(desk / "offline.key"), marks(desk / "out.roll")
    with (desk / "nobody.csv").open(encoding="utf-8-sig", newline="") as file:
        people = list(csv.reader(file))[1:]
    assert len(people) == 4
    for name, number in people:
        assert found[key.digest.identity(name, number)] & Mark.CANARY


def test_the_protected_stand_in_order_whatever_their_digest(desk: Path) -> None:
    """Added rows before, among and behind the others."""
    a_sample(desk)
    key = keys.read_offline(desk / "offline.key")
    used = columns.load("riverside")
    digests = frozenset({bytes(16), b"\x7f" * 16, b"\xff" * 16})
    from datetime import UTC, date, datetime

    from knowledge.roll import building, sources

    table = sources.look(desk / "sample.csv", used)
    with building.build(
        table, used, key, today=date(2026, 11, 20), suppressed=digests, with_receipts=False
    ) as made:
        packing.pack(
            made, desk / "x.roll", key, suppressed=digests, package_id=packing.new_id(), now=datetime.now(UTC)
        )
    found = marks(desk / "x.roll")
    assert list(found) == sorted(found)
    assert all(found[digest] == Mark.SUPPRESSED for digest in digests)


# --- what cannot be ---------------------------------------------------------------------------------------


def refused(order: Order, capsys: Said) -> str:
    """What is said of an order that cannot be carried out: one line in each language, nothing written."""
    before = sorted(path.name for path in order.file.parent.iterdir())
    capsys.readouterr()
    assert roll.build_package(order) == 2
    told = capsys.readouterr()
    assert len(told.err.splitlines()) == 2
    assert sorted(path.name for path in order.file.parent.iterdir()) == before
    return told.err


def test_a_file_without_one_good_row_gives_a_report_alone(desk: Path, capsys: Said) -> None:
    a_sample(desk, rows=30)
    with (desk / "sample.csv").open(encoding="utf-8-sig") as file:
        content = (
            file.read().replace("临江街道", "云外").replace("和兴街道", "云外").replace("北塘镇", "云外")
        )
    (desk / "sample.csv").write_text(content, encoding="utf-8")
    assert roll.build_package(order(desk)) == 1
    assert "没有一行可用" in capsys.readouterr().err
    assert (desk / "out-report.xlsx").exists()
    assert not (desk / "out.roll").exists()


def test_files_that_are_there_are_kept_unless_told(desk: Path, capsys: Said) -> None:
    a_sample(desk)
    (desk / "out.roll").write_text("kept", encoding="utf-8")
    assert "--force" in refused(order(desk), capsys)
    assert (desk / "out.roll").read_text(encoding="utf-8") == "kept"
    assert roll.build_package(order(desk, force=True)) == 0
    assert package.check(desk / "out.roll")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"canaries": 3}, "--canary-list"),
        ({"canaries": 9999, "canary_list": Path("c.csv")}, "--canaries"),
        ({"election_day": "29.12.2026"}, "--election-day"),
        ({"report": Path("report.docx")}, ".xlsx"),
        ({"receipts": Path("nowhere/slips.xlsx")}, "slips.xlsx"),
        ({"totals": Path("none.yaml")}, "none.yaml"),
        ({"units": Path("none.yaml")}, "none.yaml"),
        ({"suppress": Path("none.csv")}, "none.csv"),
        ({"pack": "nowhere"}, "cornerstone、riverside"),
        ({"pack": "cornerstone"}, "SFZH"),
        ({"key": "service.key"}, "密钥"),
        ({"key": "sample.csv"}, "用了两次"),
        ({"file": "none.csv"}, "none.csv"),
        ({"report": Path("sample.xlsx"), "file": "sample.xlsx"}, "sample.xlsx"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(desk: Path, capsys: Said, more: dict, said: str) -> None:
    a_sample(desk, rows=20)
    made = {name: desk / value if isinstance(value, Path) else value for name, value in more.items()}
    key = desk / made.pop("key", "offline.key")
    found = Order(
        desk / made.pop("file", "sample.csv"), made.pop("pack", "riverside"), key, desk / "out.roll", **made
    )
    assert said in refused(found, capsys)


def test_a_disk_that_fills_up_leaves_nothing(
    desk: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "out.roll")

    a_sample(desk)
    monkeypatch.setattr(roll.receipt_lists, "write", full)
    refused(order(desk, receipts=desk / "slips.xlsx"), capsys)


def test_an_interruption_leaves_nothing(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    a_sample(desk)
    before = sorted(path.name for path in desk.iterdir())
    monkeypatch.setattr(roll.receipt_lists, "write", stopped)
    with pytest.raises(KeyboardInterrupt):
        roll.build_package(order(desk, receipts=desk / "slips.xlsx"))
    assert sorted(path.name for path in desk.iterdir()) == before


def test_the_command_line_takes_all_of_it(desk: Path) -> None:
    a_sample(desk, rows=50)
    line = [
        "roll", "build", "sample.csv", "--pack", "riverside", "--key", "offline.key", "-o", "out.roll",
        "--election-day", "2026-12-29",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "bot", *line], cwd=desk, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    assert package.check(desk / "out.roll").header.counts["read"] == 50
