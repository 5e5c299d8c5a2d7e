"""What the unanswered call record holds besides the question: who asked, what about, how it was answered."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from office.store import word


class LedgerKind(StrEnum):
    """In which of the three ledgers a question stands: 云平台操作解答, 选民咨询, 政策释疑."""

    PLATFORM = auto()
    VOTER = auto()
    POLICY = auto()


class Relay(StrEnum):
    """Who passed a question on: 街镇转来, 12345转来, 其他."""

    STREET = auto()
    HOTLINE_12345 = auto()
    OTHER = auto()


class AskerKind(StrEnum):
    """咨询对象: 选民, 登记员, 选举工作组, 街镇选举办, 单位经办, 其他."""

    VOTER = auto()
    REGISTRAR = auto()
    WORK_GROUP = auto()
    STREET_OFFICE = auto()
    EMPLOYER = auto()
    OTHER = auto()


class VoterKind(StrEnum):
    """选民类型: 户籍, 流动, 在校, 退休, 其他."""

    HOUSEHOLD = auto()
    MIGRANT = auto()
    STUDENT = auto()
    RETIRED = auto()
    OTHER = auto()


class Nature(StrEnum):
    """归类: 登记口径, 选举流程, 平台操作, 检举控告, 其他."""

    REGISTRATION = auto()
    PROCEDURE = auto()
    PLATFORM = auto()
    COMPLAINT = auto()
    OTHER = auto()


class ResidenceCase(StrEnum):
    """人户情形: 户在人在, 户在人不在, 人在户不在, 动迁, 单位参选待定, 三分离."""

    BOTH_HERE = auto()
    HOUSEHOLD_HERE = auto()
    PERSON_HERE = auto()
    RELOCATED = auto()
    EMPLOYER_UNSETTLED = auto()
    THREE_APART = auto()


class PlatformModule(StrEnum):
    """平台模块: 登记, 审核, 导入, 统计."""

    REGISTER = auto()
    REVIEW = auto()
    IMPORT = auto()
    STATISTICS = auto()


class Symptom(StrEnum):
    """现象: 报错, 卡住, 数据不对, 没权限."""

    ERROR = auto()
    STUCK = auto()
    WRONG_DATA = auto()
    NO_RIGHT = auto()


class Secrecy(StrEnum):
    """公开范围: 可公开, 内部, 不宜公开."""

    PUBLIC = auto()
    INTERNAL = auto()
    RESTRICTED = auto()


class Cause(StrEnum):
    """问题归因, set when answered: 技术错误, 口径不清, 材料缺, 其他."""

    TECHNICAL = auto()
    WORDING = auto()
    PAPERS = auto()
    OTHER = auto()


class AnswerMode(StrEnum):
    """How an answer reached the asker: 聊天, 电话, 当面, 信函, 群."""

    CHAT = auto()
    PHONE = auto()
    IN_PERSON = auto()
    LETTER = auto()
    GROUP = auto()


class Particulars:
    """Columns of `Ticket` that an officer fills in or the desk's clock does.

    `asker_name` and `phone` are sealed (`office.seal`): shown masked, opened by whoever has to call back.
    `hops` counts transfers and returns. `hold_*` is a hold that was asked for and waits for a leader; in
    ON_HOLD `resume_by` is set and `held_at` says since when the service clock stands still. `warned` is the
    highest warning given (0, 80, 100), `status_told_at` when the asker was last told how things stand.
    `clock_from` is where the present term begins if not at the acceptance: after a reopening, or moved on by
    the duty time of a hold. `first_answered_at` stays when the ticket is opened again: a day that was cleared
    stays cleared.
    `superior_no` is the reference under which a higher office was asked. `roll_counts` holds 核查, 移除,
    补录 numbers; `materials` and `cross_area` are the fields of a check and of a request to another district.
    """

    weekend_duty: Mapped[bool] = mapped_column(default=False)
    call_started_at: Mapped[datetime | None]
    call_ended_at: Mapped[datetime | None]
    relayed_from: Mapped[Relay | None] = mapped_column(word(Relay))
    relayed_no: Mapped[str] = mapped_column(String(40), default="")
    post: Mapped[str] = mapped_column(String(40), default="")
    asker_kind: Mapped[AskerKind | None] = mapped_column(word(AskerKind))
    voter_kind: Mapped[VoterKind | None] = mapped_column(word(VoterKind))
    asker_name: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    electoral_district: Mapped[str] = mapped_column(String(60), default="")
    group_no: Mapped[str] = mapped_column(String(16), default="")
    station: Mapped[str] = mapped_column(String(60), default="")
    ledger: Mapped[LedgerKind | None] = mapped_column(word(LedgerKind))
    nature: Mapped[Nature | None] = mapped_column(word(Nature))
    residence_case: Mapped[ResidenceCase | None] = mapped_column(word(ResidenceCase))
    platform_module: Mapped[PlatformModule | None] = mapped_column(word(PlatformModule))
    symptom: Mapped[Symptom | None] = mapped_column(word(Symptom))
    failure_reason: Mapped[str] = mapped_column(String(80), default="")
    summary: Mapped[str] = mapped_column(Text, default="")
    secrecy: Mapped[Secrecy] = mapped_column(word(Secrecy), default=Secrecy.PUBLIC)
    spot_reply: Mapped[str] = mapped_column(Text, default="")
    cause: Mapped[Cause | None] = mapped_column(word(Cause))
    assigned_at: Mapped[datetime | None]
    hops: Mapped[int] = mapped_column(default=0)
    hold_wanted_until: Mapped[datetime | None]
    hold_wanted_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    held_at: Mapped[datetime | None]
    resume_by: Mapped[datetime | None] = mapped_column(index=True)
    warned: Mapped[int] = mapped_column(default=0)
    status_told_at: Mapped[datetime | None]
    extensions: Mapped[int] = mapped_column(default=0)
    nudges: Mapped[int] = mapped_column(default=0)
    clock_from: Mapped[datetime | None]
    first_answered_at: Mapped[datetime | None]
    superior_no: Mapped[str] = mapped_column(String(40), default="")
    superior_asked_at: Mapped[datetime | None]
    superior_answered_at: Mapped[datetime | None]
    answer_mode: Mapped[AnswerMode | None] = mapped_column(word(AnswerMode))
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    reviewed_at: Mapped[datetime | None]
    # No foreign key: it would close a circle with `cluster.lead_id`, which databases create badly.
    cluster_id: Mapped[int | None] = mapped_column(index=True)
    tip_no: Mapped[str] = mapped_column(String(16), default="")
    tip_id: Mapped[int | None] = mapped_column(ForeignKey("work_tip.id"), index=True)
    offline_owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    offline_done_at: Mapped[datetime | None]
    offline_way: Mapped[str] = mapped_column(String(40), default="")
    offline_result: Mapped[str] = mapped_column(String(40), default="")
    materials: Mapped[dict[str, Any]] = mapped_column(default=dict)
    cross_area: Mapped[dict[str, Any]] = mapped_column(default=dict)
    roll_counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    note: Mapped[str] = mapped_column(Text, default="")
