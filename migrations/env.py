"""How Alembic reaches the tables: one connection, handed over by `bot.migrate`."""
# ruff: noqa: F401  each import makes its tables known

from alembic import context

import bot.channels.web
import knowledge.answer
import knowledge.checks
import knowledge.golden
import knowledge.lessons
import knowledge.reminders
import knowledge.roll.records
import knowledge.stations
import knowledge.tip_receipts
import knowledge.tips
import knowledge.trained
import knowledge.versions
import office.audit
import office.bindings
import office.broadcasts
import office.budgets
import office.changes
import office.contacts
import office.leases
import office.notices
import office.outbox
import office.robots
import office.rosters
import office.shifts
import office.signin
import office.staff
import office.units
import office.work_groups
import ticketing.attachments
import ticketing.call_backs
import ticketing.call_drafts
import ticketing.call_log
import ticketing.callers
import ticketing.cards
import ticketing.clusters
import ticketing.day_end
import ticketing.drafts
import ticketing.exports
import ticketing.handovers
import ticketing.joint
import ticketing.ledgers
import ticketing.missed
import ticketing.recalls
import ticketing.records
import ticketing.restricted
import ticketing.saved
import ticketing.searching
import ticketing.swaps
import ticketing.tip_chases
import ticketing.tip_posts
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
