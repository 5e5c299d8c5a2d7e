"""How Alembic reaches the tables: one connection, handed over by `bot.migrate`."""
# ruff: noqa: F401  each import makes its tables known

from alembic import context

import bot.channels.web
import knowledge.answer
import knowledge.checks
import knowledge.golden
import knowledge.lessons
import knowledge.reminders
import knowledge.stations
import knowledge.trained
import knowledge.versions
import office.audit
import office.budgets
import office.changes
import office.contacts
import office.leases
import office.outbox
import office.signin
import office.staff
import office.units
import ticketing.drafts
import ticketing.ledgers
import ticketing.records
from office.store import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
