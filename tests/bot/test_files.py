"""Everything governed as files: written out and read back the same, edited and proposed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot import __main__ as line
from bot import files
from knowledge import elections, entries, rules
from knowledge.calendar import Election
from knowledge.stations import Station, StationKind
from knowledge.versions import EntryState, EntryVersion, by_number, content_of
from office import changes, timetable, worktime
from office.changes import Change, ChangeState
from office.store import Store
from tests.make import Cast, an_entry, content

Env = pytest.MonkeyPatch
Said = pytest.CaptureFixture[str]
CONTACT = {
    "name": "西岸区", "says": ["西岸"], "office": "西岸区选举办", "phone": "0000-87654321",
    "hours": "工作日 9:00–17:00", "address": "西岸区示例路9号",
}  # fmt: skip
HOURS: dict[str, Any] = {
    "weekly": {"monday": ["9:00-11:30", "13:30-17:00"], "tuesday": ["9:00-17:00"]},
    "years": {"2026": {"source": "示例", "days": [{"day": "2026-10-01", "kind": "rest", "name": "国庆节"}]}},
}
STATION: dict[str, Any] = {
    "kind": StationKind.REGISTRATION, "name": "滨河居委会登记站", "neighbourhood": "滨河居委会",
    "groups": ["12-01", "12-02"], "near": "江堤菜场对面", "phone": "0000-12340001", "access": ["ramp"],
    "hours": [{"from": "2026-11-16", "to": "2026-12-05", "weekdays": "1-5", "spans": ["9:00-17:00"]}],
    "latitude": 31.0012, "longitude": 121.9021,
}  # fmt: skip


async def signed(session: Any, change: Change, cast: Cast, now: datetime) -> None:
    await changes.sign(session, change, seen=change.version, actor=cast.wang_fang, now=now)


@pytest.fixture
async def installed(store: Store, cast: Cast, bare: Path, monkeypatch: Env) -> Store:
    """An installation with something of everything in force since yesterday."""
    now = datetime.now(UTC)
    async with store.transaction() as session:
        await an_entry(session, cast, now, full="第一行\n第二行", aliases=("补证",), facts=("F-001",))
        await an_entry(session, cast, now, "K-0020", topic="eligibility", question="谁可以登记？",
                       phrasings=("哪些人能登记", "谁能登记选民", "什么人可以登记"),
                       scope_unit_id=cast.north.id)  # fmt: skip
        who: dict[str, Any] = {
            "basis": "会议纪要",
            "scope": cast.district,
            "actor": cast.li_qiang,
            "now": now,
        }
        await signed(
            session,
            await rules.propose_row(
                session, "shanghai", "B1", {"answer": "请凭证明登记。", "steps": ["先打电话"]}, **who
            ),
            cast, now,
        )  # fmt: skip
        await signed(session, await rules.propose_contacts(session, "shanghai", [CONTACT], **who), cast, now)
        hours = await worktime.propose(
            session, timetable.read(HOURS), basis="通知", seen=0, actor=cast.li_qiang, now=now
        )
        await signed(session, hours, cast, now)
        for code, address in (("12-01", "江堤路18号"), ("12-05", "罗星路20号")):
            groups = [code]
            more = STATION | {"groups": groups, "name": f"{code}登记站"}
            session.add(Station(code=code, unit_id=cast.riverside.id, address=address, **more))
    monkeypatch.setenv("DATABASE_URL", store.url)
    return store


def edit(path: Path, old: str, new: str) -> int:
    """Put `new` in the place of `old`; returns the line on which it stands."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))


async def test_what_is_exported_says_nothing_new(installed: Store, tmp_path: Path, capsys: Said) -> None:
    assert await files.export(tmp_path / "out") == 0
    assert names(tmp_path / "out") == [
        "calendar.yaml", "entries/eligibility.yaml", "entries/voter_card.yaml", "hours.yaml", "rules.yaml",
        "stations.csv",
    ]  # fmt: skip
    assert "rules.yaml: 2" in capsys.readouterr().out
    assert await files.read_back(tmp_path / "out", None, "") == 0
    assert capsys.readouterr().out == "没有不同 (no difference)\n"

    before = {name: (tmp_path / "out" / name).read_bytes() for name in names(tmp_path / "out")}
    assert await files.export(tmp_path / "out") == 0
    assert {name: (tmp_path / "out" / name).read_bytes() for name in before} == before


async def test_a_fresh_installation_goes_out_and_comes_back(
    store: Store, cast: Cast, bare: Path, tmp_path: Path, monkeypatch: Env, capsys: Said
) -> None:
    monkeypatch.setenv("DATABASE_URL", store.url)
    assert await files.export(tmp_path / "out") == 0
    capsys.readouterr()
    assert await files.read_back(tmp_path / "out", "李强", "通知") == 0
    assert capsys.readouterr().out == "没有不同 (no difference)\n"


def edited(folder: Path) -> dict[str, int]:
    """One edit in each file, with its line."""
    return {
        "entries/voter_card.yaml": edit(folder / "entries/voter_card.yaml", "第二行", "换了的第二行"),
        "rules.yaml": edit(folder / "rules.yaml", "先打电话", "先打登记站电话"),
        "calendar.yaml": edit(folder / "calendar.yaml", "to: '2026-12-05'", "to: 2026-12-04"),
        "hours.yaml": edit(folder / "hours.yaml", '"13:30-17:00"', '"13:30-17:30"'),
        "stations.csv": edit(folder / "stations.csv", "罗星路20号", "罗星路22号"),
    }


async def test_exactly_the_edit_is_shown(installed: Store, tmp_path: Path, capsys: Said) -> None:
    folder = tmp_path / "out"
    await files.export(folder)
    lines = edited(folder)
    capsys.readouterr()
    assert await files.read_back(folder, None, "") == 0
    out = capsys.readouterr().out.splitlines()
    assert [row.strip() for row in out if row.startswith("  ")] == [
        "full: 第一行 第二行 → 第一行 换了的第二行",
        "content.steps[0]: 先打电话 → 先打登记站电话",
        "content.windows[0].to: 2026-12-05 → 2026-12-04",
        "weekly.monday[1]: 13:30-17:00 → 13:30-17:30",
        "address: 罗星路20号 → 罗星路22号",
    ]
    assert f"stations.csv:{lines['stations.csv']}  12-05" in out
    assert "rules.yaml:" in "".join(out)
    async with installed.reading() as session:
        assert await session.scalar(select(Change.id).where(Change.state == ChangeState.PROPOSED)) is None


async def test_exactly_the_edit_is_proposed(
    installed: Store, cast: Cast, tmp_path: Path, capsys: Said
) -> None:
    folder = tmp_path / "out"
    await files.export(folder)
    edited(folder)
    assert await files.read_back(folder, "李强", "街道来函") == 0
    assert "已提出 5 项" in capsys.readouterr().out
    now = datetime.now(UTC)
    async with installed.transaction() as session:
        proposed = (
            await session.scalars(
                select(Change).where(Change.state == ChangeState.PROPOSED).order_by(Change.id)
            )
        ).all()
        assert [(one.subject, one.basis, one.author_id) for one in proposed] == [
            ("shanghai:B1", "会议纪要", cast.li_qiang.id),
            ("calendar", "示例数据", cast.li_qiang.id),
            ("hours", "街道来函", cast.li_qiang.id),
            ("stations", "街道来函", cast.li_qiang.id),
        ]
        assert proposed[0].content == {"answer": "请凭证明登记。", "steps": ["先打登记站电话"]}
        (row,) = proposed[3].content["rows"]
        assert (row["code"], row["before"]["address"], row["after"]["address"]) == (
            "12-05", "罗星路20号", "罗星路22号",
        )  # fmt: skip
        draft = (
            await session.scalars(select(EntryVersion).where(EntryVersion.state == EntryState.IN_REVIEW))
        ).one()
        written = await content_of(session, draft)
        assert written == content(cast, full="第一行\n换了的第二行", aliases=("补证",), facts=("F-001",))
        for one in proposed[:3]:
            await signed(session, one, cast, now)
        election = await elections.in_force(session, now.astimezone(UTC).date())
        assert isinstance(election, Election)
        assert election.windows[0].last.isoformat() == "2026-12-04"

    capsys.readouterr()
    assert await files.read_back(folder, None, "") == 0
    left = [row for row in capsys.readouterr().out.splitlines() if not row.startswith("  ")]
    assert [row.split("  ")[1] for row in left] == ["K-0540", "12-05"]


async def test_new_things_are_proposed_under_their_own_names(
    installed: Store, cast: Cast, tmp_path: Path, capsys: Said
) -> None:
    folder = tmp_path / "out"
    await files.export(folder)
    edit(folder / "entries/voter_card.yaml", "'no': K-0540", "'no': K-0777")
    edit(folder / "rules.yaml", "subject: shanghai:B1", "subject: shanghai:XH")
    capsys.readouterr()
    assert await files.read_back(folder, "李强", "") == 0
    out = capsys.readouterr().out
    assert "entries  K-0540  不在文件里" in out
    assert "rules.yaml  shanghai:B1  不在文件里" in out
    async with installed.reading() as session:
        entry = await by_number(session, "K-0777")
        assert entry.published_id is None
        assert (await by_number(session, "K-0540")).published_id is not None
        subjects = await session.scalars(select(Change.subject).where(Change.state == ChangeState.PROPOSED))
        assert list(subjects) == ["shanghai:XH"]


# The file, what stands there, what is put there instead, the text on whose line the fault is told, the words.
BAD = [
    ("entries/voter_card.yaml", "第二行", "12月5日前", "'no': K-0540", "K-0540: "),
    ("entries/voter_card.yaml", "level: ordinary", "level: secret", "level: secret", "secret"),
    ("rules.yaml", "先打电话", "2021年的电话照用", "2021年的电话照用", "往届"),
    ("rules.yaml", "先打电话", "12月5日前打电话", "12月5日前打电话", "日期"),
    ("rules.yaml", "- 先打电话", "  先打: 电话", "steps:", ""),
    ("rules.yaml", "subject: shanghai:B1", "subject: shanghai:B99", "shanghai:B99", "B99"),
    ("rules.yaml", "subject: shanghai:B1", "subject: nowhere:B1", "nowhere:B1", "nowhere:B1?"),
    ("rules.yaml", "phone: 0000-87654321", "phone: ''", "phone: ''", ""),
    ("calendar.yaml", "to: '2026-12-05'", "to: '2026-11-05'", "to: '2026-11-05'", ""),
    ("calendar.yaml", "to: '2026-12-05'", "to: 明年", "to: 明年", "明年"),
    ("calendar.yaml", "region: shanghai", "region: nowhere", "region: nowhere", "nowhere"),
    ("calendar.yaml", "subject: calendar", "subject: kalender", "kalender", "kalender?"),
    (
        "calendar.yaml",
        "basis: 示例数据",
        "basis: 示例数据\n  review_on: 2027-01-01",
        "review_on",
        "review_on",
    ),
    ("hours.yaml", '"13:30-17:00"', '"17:30-13:00"', "17:30-13:00", "17:30"),
    ("stations.csv", "登记站,12-05", "登记站,", "罗星路20号", ""),
]


@pytest.mark.parametrize(("name", "old", "new", "place", "said"), BAD)
async def test_a_bad_file_is_refused_with_its_line(
    installed: Store, tmp_path: Path, capsys: Said, name: str, old: str, new: str, place: str, said: str
) -> None:
    folder = tmp_path / "out"
    await files.export(folder)
    edit(folder / name, old, new)
    text = (folder / name).read_text(encoding="utf-8")
    capsys.readouterr()
    assert await files.read_back(folder, "李强", "来函") == 2
    where, number, rest = capsys.readouterr().err.split(":", 2)
    assert (where, int(number)) == (name, text[: text.index(place)].count("\n") + 1)
    assert said in rest
    async with installed.reading() as session:
        assert await session.scalar(select(Change.id).where(Change.state == ChangeState.PROPOSED)) is None


@pytest.mark.parametrize("name", ["周宁", "孙洁", "谁也不是"])
async def test_who_may_not_propose_proposes_nothing(
    installed: Store, tmp_path: Path, capsys: Said, name: str
) -> None:
    folder = tmp_path / "out"
    await files.export(folder)
    edited(folder)
    assert await files.read_back(folder, name, "来函") == 1
    assert "没有提出" in capsys.readouterr().err
    async with installed.reading() as session:
        assert await session.scalar(select(Change.id).where(Change.state == ChangeState.PROPOSED)) is None
        waiting = select(EntryVersion.id).where(EntryVersion.state == EntryState.IN_REVIEW)
        assert await session.scalar(waiting) is None


async def test_one_refusal_takes_everything_back(
    installed: Store, cast: Cast, tmp_path: Path, capsys: Said
) -> None:
    folder = tmp_path / "out"
    await files.export(folder)
    edited(folder)
    assert await files.read_back(folder, "李强", "") == 1  # hours and stations need a paper
    assert "依据" in capsys.readouterr().err
    async with installed.transaction() as session:
        assert await session.scalar(select(Change.id).where(Change.state == ChangeState.PROPOSED)) is None
        entry = await by_number(session, "K-0540")
        await entries.draft(session, content(cast), actor=cast.li_qiang, now=datetime.now(UTC), entry=entry)
    assert await files.read_back(folder, "李强", "来函") == 1


async def test_an_empty_folder_and_an_empty_installation_are_told(
    store: Store, bare: Path, tmp_path: Path, monkeypatch: Env, capsys: Said
) -> None:
    monkeypatch.setenv("DATABASE_URL", store.url)
    assert await files.read_back(tmp_path / "nowhere", None, "") == 2
    assert await files.export(tmp_path / "out") == 1
    assert "还没有单位" in capsys.readouterr().err


def test_the_command_line_hands_everything_on(monkeypatch: Env, tmp_path: Path) -> None:
    called: list[tuple[Any, ...]] = []

    async def note(*given: Any) -> int:
        called.append(given)
        return 0

    monkeypatch.setattr(files, "export", note)
    monkeypatch.setattr(files, "read_back", note)
    for given in (
        ["export", "a"], ["import", "b"], ["import", "b", "--propose", "李强", "--basis", "来函"],
    ):  # fmt: skip
        monkeypatch.setattr("sys.argv", ["manage.py", *given])
        assert line.main() == 0
    assert called == [(Path("a"),), (Path("b"), None, ""), (Path("b"), "李强", "来函")]
