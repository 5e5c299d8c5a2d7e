"""the calendar becomes governed data; reminders know what they were told of"""

import json
from datetime import UTC, date, datetime

from alembic import op
import sqlalchemy as sa
import office.store

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

NEVER = date(1, 1, 1)
POSTINGS = ('list_posted', 'nominees_posted', 'candidates_posted')


def upgrade() -> None:
    _carry_over(op.get_bind())
    op.drop_table('key_date')
    op.drop_table('election')
    with op.batch_alter_table('reminder', schema=None) as batch_op:
        batch_op.add_column(sa.Column('told_for', sa.Date(), nullable=False, server_default=NEVER.isoformat()))
        batch_op.create_index('ix_reminder_what_told_for', ['what', 'told_for'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('reminder', schema=None) as batch_op:
        batch_op.drop_index('ix_reminder_what_told_for')
        batch_op.drop_column('told_for')
    op.create_table('election',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('unit_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('level', sa.Enum('county', 'township', name='level', native_enum=False, length=32), nullable=False),
    sa.Column('region', sa.String(length=16), nullable=False),
    sa.Column('day', sa.Date(), nullable=True),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_election_unit_id_unit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_election'))
    )
    op.create_table('key_date',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('election_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('day', 'age_line', 'registration', 'list_posted', 'appeals_close', 'suits_close', 'list_amended', 'nominees_posted', 'candidates_posted', 'voting', name='datekind', native_enum=False, length=32), nullable=False),
    sa.Column('audience', sa.String(length=40), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=False),
    sa.Column('note', sa.String(length=80), nullable=False),
    sa.ForeignKeyConstraint(['election_id'], ['election.id'], name=op.f('fk_key_date_election_id_election')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_key_date')),
    sa.UniqueConstraint('election_id', 'kind', 'audience', name=op.f('uq_key_date_election_id_kind_audience'))
    )
    _carry_back(op.get_bind())


META = sa.MetaData()
ELECTION = sa.Table(
    'election', META,
    sa.Column('id', sa.Integer(), primary_key=True), sa.Column('unit_id', sa.Integer()),
    sa.Column('name', sa.String()), sa.Column('level', sa.String()), sa.Column('region', sa.String()),
    sa.Column('day', sa.Date()),
)
KEY_DATE = sa.Table(
    'key_date', META,
    sa.Column('id', sa.Integer(), primary_key=True), sa.Column('election_id', sa.Integer()),
    sa.Column('kind', sa.String()), sa.Column('audience', sa.String()), sa.Column('starts_on', sa.Date()),
    sa.Column('ends_on', sa.Date()), sa.Column('note', sa.String()),
)
CHANGE = sa.Table(
    'change', META,
    sa.Column('id', sa.Integer(), primary_key=True), sa.Column('version', sa.Integer()),
    sa.Column('kind', sa.String()), sa.Column('subject', sa.String()), sa.Column('number', sa.Integer()),
    sa.Column('state', sa.String()), sa.Column('content', sa.JSON()), sa.Column('basis', sa.Text()),
    sa.Column('scope_unit_id', sa.Integer()), sa.Column('created_at', office.store.UTCTime()),
    sa.Column('signed_at', office.store.UTCTime()),
)
OF_CALENDAR = sa.and_(CHANGE.c.kind == 'calendar', CHANGE.c.subject == 'calendar')


def _carry_over(bind) -> None:
    """The newest election with its rows becomes one signed change, unless the one in force says the same."""
    election = bind.execute(sa.select(ELECTION).order_by(ELECTION.c.id.desc()).limit(1)).first()
    if election is None:
        return
    rows = bind.execute(
        sa.select(KEY_DATE).where(KEY_DATE.c.election_id == election.id)
        .order_by(KEY_DATE.c.starts_on, KEY_DATE.c.id)
    ).all()
    voting = [row for row in rows if row.kind == 'voting']
    content = {
        'name': election.name,
        'level': election.level,
        'region': election.region,
        'day': election.day.isoformat() if election.day else None,
        'voting_days': max(1, min(3, (voting[0].ends_on - voting[0].starts_on).days + 1)) if voting else 1,
        'windows': [
            {'audience': row.audience, 'from': row.starts_on.isoformat(), 'to': row.ends_on.isoformat(),
             'note': row.note}
            for row in rows if row.kind == 'registration'
        ],
        'posted': {row.kind: row.starts_on.isoformat() for row in rows if row.kind in POSTINGS},
        'offsets': {},
    }
    if (known := _in_force(bind)) is not None and {**known.content, 'offsets': {}} == content:
        return
    last = bind.execute(sa.select(sa.func.max(CHANGE.c.number)).where(OF_CALENDAR)).scalar() or 0
    now = datetime.now(UTC)
    bind.execute(sa.insert(CHANGE).values(
        version=1, kind='calendar', subject='calendar', number=last + 1, state='signed', content=content,
        basis='沿用升级前录入的日程', scope_unit_id=election.unit_id, created_at=now, signed_at=now,
    ))


def _carry_back(bind) -> None:
    """The calendar in force as rows; distances of a district's own have no place in them."""
    found = _in_force(bind)
    if found is None:
        return
    content = found.content if isinstance(found.content, dict) else json.loads(found.content)
    day = date.fromisoformat(content['day']) if content.get('day') else None
    bind.execute(sa.insert(ELECTION).values(
        unit_id=found.scope_unit_id, name=content['name'], level=content.get('level', 'county'),
        region=content.get('region', 'shanghai'), day=day,
    ))
    number = bind.execute(sa.select(sa.func.max(ELECTION.c.id))).scalar()
    rows = [
        ('registration', window.get('audience', ''), window['from'], window['to'], window.get('note', ''))
        for window in content.get('windows', [])
    ] + [(kind, '', on, on, '') for kind, on in content.get('posted', {}).items()]
    if day is not None and content.get('voting_days', 1) > 1:
        last = date.fromordinal(day.toordinal() + content['voting_days'] - 1)
        rows.append(('voting', '', day.isoformat(), last.isoformat(), ''))
    for kind, audience, first, last, note in rows:
        bind.execute(sa.insert(KEY_DATE).values(
            election_id=number, kind=kind, audience=audience[:40], starts_on=date.fromisoformat(first),
            ends_on=date.fromisoformat(last), note=note[:80],
        ))


def _in_force(bind):
    return bind.execute(
        sa.select(CHANGE).where(OF_CALENDAR, CHANGE.c.state == 'signed')
        .order_by(CHANGE.c.number.desc()).limit(1)
    ).first()
