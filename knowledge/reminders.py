"""Who wants to be told of which day: asked for in the conversation, forgotten with the contact."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from office.store import Base


class Reminder(Base):
    """One contact's wish to be told of one kind of day; `what` is a `DateKind`, or `any` for all of them."""

    __tablename__ = "reminder"
    __table_args__ = (UniqueConstraint("contact_id", "what"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    what: Mapped[str] = mapped_column(String(32))
    asked_at: Mapped[datetime]
