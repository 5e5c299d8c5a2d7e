"""Learning in the running program: when, by whom, in a process of its own, and never into force untried."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from bot import learning
from bot.app import Machine
from bot.learning import Learner, TrainingFailed
from bot.training import Task, Trained, open_questions
from bot.worker import Worker
from handlers.turn import Desk
from knowledge import base as entry_files
from knowledge import entries, lessons, trained
from knowledge.lessons import Source
from knowledge.live import LiveBase, lexicon
from knowledge.match import Index
from knowledge.model import SHIPPED, Model
from knowledge.outcomes import Source as EntrySource
from knowledge.replay import Case
from knowledge.train import Label
from knowledge.trained import ModelState
from knowledge.versions import by_number, revision
from office import leases
from office.audit import SYSTEM, AuditEntry
from office.store import Store
from tests.make import Cast, Clock, an_entry

BOLD = replace(SHIPPED, thresholds=replace(SHIPPED.thresholds, hit=0.2))
SHY = replace(SHIPPED, thresholds=replace(SHIPPED.thresholds, hit=0.9))
LATER = timedelta(minutes=2)


@dataclass
class Trainer:
    """Stands in for the training process: brings this model, and what the golden questions say of it."""

    model: Model = BOLD
    faults: tuple[str, ...] = ()
    tasks: list[Task] = field(default_factory=list)
    meanwhile: Callable[[], object] | None = None
    fails: bool = False

    async def __call__(self, task: Task) -> Trained:
        self.tasks.append(task)
        if self.meanwhile is not None:
            await self.meanwhile()  # type: ignore[misc]
        if self.fails:
            raise TrainingFailed("no")
        return Trained(self.model, self.faults, {"before": {"asked": 2}, "after": {"asked": 2}})


@pytest.fixture
async def base(store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Twenty entries that count as a base worth learning from; returns their numbers."""
    monkeypatch.setattr(learning, "SMALLEST_BASE", 10)
    numbers = [f"K-{number:04d}" for number in range(100, 120)]
    await install(store, cast, now, numbers)
    return numbers


async def install(store: Store, cast: Cast, now: datetime, numbers: list[str]) -> None:
    async with store.transaction() as session:
        for no in numbers:
            words = (f"{no}号楼怎么登记", f"{no}号楼去哪里登记", f"{no}号楼登记站在哪")
            await an_entry(session, cast, now, no, question=f"{no}号楼的选民登记", phrasings=words)


def learner(store: Store, clock: Clock, train: Trainer) -> Learner:
    """A learner of a process that has been running for a while."""
    made = Learner(store, clock, 0.02, train)
    clock.now += LATER
    return made


async def states(store: Store) -> list[ModelState]:
    async with store.reading() as session:
        return [row.state for row in reversed(await trained.listed(session))]


async def in_force(store: Store) -> str:
    async with store.reading() as session:
        row = await trained.in_force(session)
        return row.digest if row else SHIPPED.digest


async def test_what_was_learned_is_kept_tried_put_in_force_and_audited(
    store: Store, base: list[str], clock: Clock
) -> None:
    train = Trainer()
    learned = await learner(store, clock, train).learn()
    assert learned is not None
    assert (learned.active, learned.faults) == (True, ())
    assert await in_force(store) == BOLD.digest
    (task,) = train.tasks
    assert (len(task.sources), task.wanted_wrong, task.present.digest) == (20, 0.02, SHIPPED.digest)
    assert task.cases
    async with store.reading() as session:
        row = await trained.get(session, learned.model_id)
        assert Model.from_json(row.body).digest == row.digest == BOLD.digest
        assert (len(row.trained_on), row.figures["after"]) == (20, {"asked": 2})
        assert (row.made_at, row.activated_at) == (clock.now, clock.now)
        acts = (await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))).all()
    assert acts[-2:] == ["matcher_model.make", "matcher_model.activate"]


async def test_what_the_golden_questions_speak_against_is_refused_and_audited(
    store: Store, base: list[str], clock: Clock
) -> None:
    learned = await learner(store, clock, Trainer(faults=("wrong_more",))).learn()
    assert learned is not None
    assert (learned.active, learned.faults) == (False, ("wrong_more",))
    assert await in_force(store) == SHIPPED.digest
    assert await states(store) == [ModelState.REFUSED]
    async with store.reading() as session:
        line = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1))).one()
    assert (line.action, line.facts["faults"]) == ("matcher_model.refuse", ["wrong_more"])


async def test_a_model_that_is_no_other_is_not_put_in_force(
    store: Store, base: list[str], clock: Clock
) -> None:
    async with store.reading() as session:
        before = await revision(session)
    learned = await learner(store, clock, Trainer(SHIPPED)).learn()
    assert learned is not None
    assert learned.faults == (learning.UNCHANGED,)
    async with store.reading() as session:
        assert await revision(session) == before


async def test_a_model_tried_beside_one_that_no_longer_answers_is_not_put_in_force(
    store: Store, base: list[str], clock: Clock, now: datetime
) -> None:
    async def another() -> None:
        async with store.transaction() as session:
            row = await trained.keep(
                session, SHY, base_revision=0, trained_on=[], lessons=0, figures={},
                actor=SYSTEM, now=now,
            )  # fmt: skip
            await trained.activate(session, row, actor=SYSTEM, now=now)

    learned = await learner(store, clock, Trainer(meanwhile=another)).learn()
    assert learned is not None
    assert learned.faults == (learning.OVERTAKEN,)
    assert await in_force(store) == SHY.digest


@pytest.fixture
async def other(store: Store) -> AsyncIterator[Store]:
    """The database as a second process sees it."""
    found = Store(store.url)
    yield found
    await found.close()


async def test_one_process_learns_at_a_time_and_at_most_once_an_hour(
    store: Store, other: Store, base: list[str], clock: Clock
) -> None:
    second = learner(other, clock, Trainer(SHY))
    tried = []

    async def meanwhile() -> None:
        tried.append(await second.learn())
        tried.append(await second.learn(pause=timedelta()))

    first = learner(store, clock, Trainer(meanwhile=meanwhile))
    assert await first.learn() is not None
    assert tried == [None, None]
    clock.now += timedelta(minutes=59)
    assert await second.learn() is None
    clock.now += timedelta(minutes=1)
    assert await second.learn() is not None
    assert await in_force(store) == SHY.digest


async def test_by_hand_nobody_waits_an_hour(store: Store, base: list[str], clock: Clock) -> None:
    made = learner(store, clock, Trainer())
    assert await made.learn() is not None
    assert await made.learn() is None
    assert await made.learn(pause=timedelta()) is not None


async def test_two_processes_at_the_same_moment(
    store: Store, other: Store, base: list[str], clock: Clock
) -> None:
    learners = [learner(one, clock, Trainer()) for one in (store, other)]
    results = await asyncio.gather(*(one.learn() for one in learners))
    assert sum(result is not None for result in results) == 1


async def test_a_training_that_fails_lets_go(store: Store, base: list[str], clock: Clock) -> None:
    made = learner(store, clock, Trainer(fails=True))
    with pytest.raises(TrainingFailed):
        await made.learn()
    assert await states(store) == []
    async with store.transaction() as session:
        assert await leases.begin(session, learning.LEASE, lasts=timedelta(hours=1), now=clock.now)


async def test_who_died_while_learning_holds_nobody_up_for_long(store: Store, now: datetime) -> None:
    async with store.transaction() as session:
        assert await leases.begin(session, "x", lasts=timedelta(minutes=35), now=now)
        assert not await leases.begin(
            session, "x", lasts=timedelta(minutes=35), now=now + timedelta(minutes=34)
        )
        again = now + timedelta(minutes=35)
        assert await leases.begin(session, "x", lasts=timedelta(minutes=35), now=again)
        await leases.end(session, "x", begun_at=now, now=again)
        assert not await leases.begin(session, "x", lasts=timedelta(minutes=35), now=again)


async def test_it_is_worth_it_when_a_tenth_of_the_phrasings_is_new(
    store: Store, cast: Cast, base: list[str], clock: Clock, now: datetime
) -> None:
    train = Trainer()
    made = learner(store, clock, train)
    await made.look()
    assert len(train.tasks) == 1
    clock.now += timedelta(hours=2)
    await install(store, cast, now, ["K-0200"])  # four of eighty phrasings
    await made.look()
    assert len(train.tasks) == 1
    await install(store, cast, now, ["K-0201", "K-0202"])
    await made.look()
    assert len(train.tasks) == 2
    clock.now += timedelta(hours=2)
    async with store.transaction() as session:
        for no in base[:3]:
            await entries.retire(session, await by_number(session, no), actor=cast.wang_fang, now=now)
    await made.look()
    assert len(train.tasks) == 3


async def test_it_is_worth_it_when_there_are_thirty_new_labels(
    store: Store, cast: Cast, base: list[str], clock: Clock, now: datetime
) -> None:
    train = Trainer()
    made = learner(store, clock, train)
    await made.look()
    clock.now += timedelta(hours=2)

    async def desk(first: int, last: int) -> None:
        async with store.transaction() as session:
            entry_id = (await by_number(session, base[0])).id
            for number in range(first, last):
                await lessons.teach(
                    session, Source.DESK_POINTED, f"{number}弄的人去哪里登记", entry_id,
                    occasion=f"ticket:{number}", staff_id=cast.li_qiang.id, now=now,
                )  # fmt: skip

    await desk(0, 29)
    await made.look()
    assert len(train.tasks) == 1
    await desk(29, 30)
    await made.look()
    assert len(train.tasks) == 2
    assert len(train.tasks[1].labels) == 30


async def test_a_person_who_taps_a_lot_starts_no_training(
    store: Store, cast: Cast, base: list[str], clock: Clock, now: datetime
) -> None:
    train = Trainer()
    made = learner(store, clock, train)
    await made.look()
    clock.now += timedelta(hours=2)
    async with store.transaction() as session:
        entry_id = (await by_number(session, base[0])).id
        for number in range(200):
            await lessons.teach(
                session, Source.SOLVED, f"{number}号停水吗", entry_id, occasion=f"enquiry:{number}",
                contact_id=cast.zhang_min.id, probability=0.9, now=now,
            )  # fmt: skip
    await made.look()
    assert len(train.tasks) == 1
    await install(store, cast, now, [f"K-{number:04d}" for number in range(300, 320)])
    await made.look()
    assert (train.tasks[1].labels, len(train.tasks[1].verdicts)) == ([], 1)


async def test_the_shipped_base_is_what_the_shipped_model_was_made_for(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        await entry_files.load(session, entry_files.FOLDER, cast.district, now=now)
    async with store.reading() as session:
        assert not await learning.due(session)


async def test_a_process_that_has_just_begun_and_a_tiny_base_train_nothing(
    store: Store, cast: Cast, clock: Clock, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await install(store, cast, now, ["K-0100"])
    train = Trainer()
    await learner(store, clock, train).look()
    monkeypatch.setattr(learning, "SMALLEST_BASE", 1)
    await Learner(store, clock, 0.01, train).look()
    assert train.tasks == []
    await learner(store, clock, train).look()
    assert len(train.tasks) == 1


def a_task() -> Task:
    sources = [
        EntrySource(
            number, f"K-{number:04d}", topic, "voter", question, tuple(f"{head}{question}" for head in heads)
        )
        for number, (topic, question) in enumerate(
            (
                ("voter_card", "选民证丢了怎么补"),
                ("reg_how", "外地人怎么登记选民"),
                ("vote_day", "投票日几点结束"),
            ),
            1,
        )
        for heads in [("请问", "我想知道", "麻烦问下", "你好，")]
    ]  # fmt: skip
    cases = [Case("选民证找不到了怎么补", "voter_card"), Case("今天天气怎么样", "none", also=("x",))]
    return Task(sources, [Label("证掉了", 1, True, 1.0)], [(0.9, True)], 0.05, SHIPPED, cases)


def test_a_task_and_its_result_survive_the_way_between_processes() -> None:
    task = a_task()
    again = Task.from_json(task.as_json())
    assert again == task
    assert again.present.digest == SHIPPED.digest
    result = Trained(BOLD, ("wrong_more",), {"after": {"wrong": 1}})
    assert Trained.from_json(result.as_json()) == result


def test_only_open_golden_questions_are_learned_from() -> None:
    cases = [
        Case("选民证找不到了怎么补", "voter_card", also=("reg_docs",), audience="staff"),
        Case("封存的问题不能拿来学", "voter_card", sealed=True),
        Case("身份证丢了怎么补", "none", kind="adversarial"),
        Case("选民证丢了怎么补", "voter_card", kind="own", entry_no="K-0001"),
    ]
    (found,) = open_questions(cases)
    assert (found.q, found.topic, found.also, found.audience) == (
        "选民证找不到了怎么补", "voter_card", ("reg_docs",), "staff",
    )  # fmt: skip


async def test_a_training_in_its_own_process_brings_a_model_that_answers() -> None:
    task = a_task()
    result = await learning.in_own_process(task)
    assert result.figures["after"]["asked"] == 2
    index = Index(task.sources, lexicon(), result.model)
    assert index.rank("选民证丢了怎么补").candidates[0].entry_id == 1


async def test_a_process_that_breaks_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Task, "as_json", lambda self: json.dumps({"sources": 1}))
    with pytest.raises(TrainingFailed, match="TypeError"):
        await learning.in_own_process(a_task())


async def test_a_training_ends_with_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    spawn = asyncio.create_subprocess_exec
    begun: asyncio.Future[asyncio.subprocess.Process] = asyncio.get_running_loop().create_future()

    async def remembered(*given: object, **more: object) -> asyncio.subprocess.Process:
        process = await spawn(*given, **more)  # type: ignore[arg-type]
        begun.set_result(process)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", remembered)
    task = asyncio.create_task(learning.in_own_process(a_task()))
    process = await begun
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert process.returncode is not None


async def test_the_worker_looks_and_goes_on_after_a_failure(
    store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "LOOK_EVERY", 0.01)
    looked = asyncio.Event()

    class Stumbling(Learner):
        looks = 0

        async def look(self) -> bool:
            self.looks += 1
            if self.looks == 1:
                raise TrainingFailed("no")
            looked.set()
            return False

    worker = Worker(Desk(store, LiveBase()), {}, Stumbling(store, lambda: now, 0.01))
    worker.start()
    async with asyncio.timeout(60):
        await looked.wait()
    await worker.stop()


def test_the_running_program_learns_with_the_share_that_is_set(machine: Machine) -> None:
    assert machine.settings.wanted_wrong == 0.01
    assert machine.worker.learner is not None
    assert machine.worker.learner.wanted_wrong == 0.01
