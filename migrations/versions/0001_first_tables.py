"""first tables"""

from alembic import op
import sqlalchemy as sa
import office.store

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('audit_entry',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('actor_kind', sa.String(length=16), nullable=False),
    sa.Column('actor_id', sa.Integer(), nullable=True),
    sa.Column('actor_name', sa.String(length=80), nullable=False),
    sa.Column('channel', sa.String(length=32), nullable=False),
    sa.Column('action', sa.String(length=64), nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('prev_hash', sa.String(length=64), nullable=False),
    sa.Column('entry_hash', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entry'))
    )
    with op.batch_alter_table('audit_entry', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_entry_action'), ['action'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_entry_subject'), ['subject'], unique=False)

    op.create_table('audit_head',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('last_hash', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_head'))
    )
    op.create_table('base_state',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_base_state'))
    )
    op.create_table('budget',
    sa.Column('key', sa.String(length=120), nullable=False),
    sa.Column('opened_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('used', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('key', 'opened_at', name=op.f('pk_budget'))
    )
    op.create_table('entry',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('entry_no', sa.String(length=12), nullable=False),
    sa.Column('published_id', sa.Integer(), nullable=True),
    sa.Column('successor_id', sa.Integer(), nullable=True),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['successor_id'], ['entry.id'], name=op.f('fk_entry_successor_id_entry')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_entry')),
    sa.UniqueConstraint('entry_no', name=op.f('uq_entry_entry_no'))
    )
    with op.batch_alter_table('entry', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_entry_revision'), ['revision'], unique=False)

    op.create_table('inbound_event',
    sa.Column('channel', sa.Enum('telegram', 'web', 'wecom_robot', 'dingtalk_robot', 'feishu_robot', 'phone', 'counter', name='channel', native_enum=False, length=32), nullable=False),
    sa.Column('event_id', sa.String(length=80), nullable=False),
    sa.Column('at', office.store.UTCTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('channel', 'event_id', name=op.f('pk_inbound_event'))
    )
    with op.batch_alter_table('inbound_event', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_inbound_event_at'), ['at'], unique=False)

    op.create_table('ticket_serial',
    sa.Column('district_code', sa.String(length=4), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('last', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('district_code', 'day', name=op.f('pk_ticket_serial'))
    )
    op.create_table('unit',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('city', 'district', 'subdistrict', 'town', 'working_group', 'neighbourhood', 'electoral_district', 'voter_group', name='unitkind', native_enum=False, length=32), nullable=False),
    sa.Column('code', sa.String(length=16), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('parent_id', sa.Integer(), nullable=True),
    sa.Column('path', sa.String(length=200), nullable=False),
    sa.Column('office_name', sa.String(length=120), nullable=False),
    sa.Column('phone', sa.String(length=40), nullable=False),
    sa.Column('address', sa.String(length=200), nullable=False),
    sa.Column('hours_text', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['parent_id'], ['unit.id'], name=op.f('fk_unit_parent_id_unit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_unit')),
    sa.UniqueConstraint('code', name=op.f('uq_unit_code'))
    )
    with op.batch_alter_table('unit', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_unit_path'), ['path'], unique=False)

    op.create_table('contact',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('channel', sa.Enum('telegram', 'web', 'wecom_robot', 'dingtalk_robot', 'feishu_robot', 'phone', 'counter', name='channel', native_enum=False, length=32), nullable=False),
    sa.Column('address', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.Enum('private', 'group', name='contactkind', native_enum=False, length=32), nullable=False),
    sa.Column('state', sa.Enum('active', 'silenced', 'lost', name='contactstate', native_enum=False, length=32), nullable=False),
    sa.Column('unit_id', sa.Integer(), nullable=True),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('text_size', sa.String(length=12), nullable=False),
    sa.Column('first_seen_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_contact_unit_id_unit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contact')),
    sa.UniqueConstraint('channel', 'address', name=op.f('uq_contact_channel_address'))
    )
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
    op.create_table('staff',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('username', sa.String(length=40), nullable=True),
    sa.Column('password_hash', sa.String(length=200), nullable=True),
    sa.Column('unit_id', sa.Integer(), nullable=False),
    sa.Column('roles', sa.JSON(), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('created_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('suspended_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.Column('deactivated_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['created_by_id'], ['staff.id'], name=op.f('fk_staff_created_by_id_staff')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_staff_unit_id_unit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff')),
    sa.UniqueConstraint('username', name=op.f('uq_staff_username'))
    )
    op.create_table('delivery',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=120), nullable=False),
    sa.Column('contact_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=32), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('priority', sa.Enum('1_answer', '2_notice', '3_broadcast', name='priority', native_enum=False, length=32), nullable=False),
    sa.Column('state', sa.Enum('due', 'claimed', 'sent', 'failed', 'parked', name='deliverystate', native_enum=False, length=32), nullable=False),
    sa.Column('due_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('claimed_until', office.store.UTCTime(timezone=True), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('last_error', sa.String(length=300), nullable=False),
    sa.Column('created_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('sent_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['contact_id'], ['contact.id'], name=op.f('fk_delivery_contact_id_contact')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery')),
    sa.UniqueConstraint('key', name=op.f('uq_delivery_key'))
    )
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_delivery_contact_id'), ['contact_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_delivery_due_at'), ['due_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_delivery_subject'), ['subject'], unique=False)

    op.create_table('entry_version',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('entry_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('draft', 'in_review', 'published', 'retired', name='entrystate', native_enum=False, length=32), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('topic', sa.String(length=32), nullable=False),
    sa.Column('audience', sa.Enum('voter', 'staff', name='audience', native_enum=False, length=32), nullable=False),
    sa.Column('level', sa.Enum('ordinary', 'statutory', 'sensitive', name='entrylevel', native_enum=False, length=32), nullable=False),
    sa.Column('scope_unit_id', sa.Integer(), nullable=False),
    sa.Column('question', sa.String(length=200), nullable=False),
    sa.Column('short', sa.Text(), nullable=False),
    sa.Column('full', sa.Text(), nullable=False),
    sa.Column('steps', sa.JSON(), nullable=False),
    sa.Column('documents', sa.JSON(), nullable=False),
    sa.Column('basis', sa.JSON(), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('confirmed', sa.Boolean(), nullable=False),
    sa.Column('group', sa.String(length=20), nullable=False),
    sa.Column('review_on', sa.Date(), nullable=True),
    sa.Column('effective_from', sa.Date(), nullable=True),
    sa.Column('effective_until', sa.Date(), nullable=True),
    sa.Column('author_id', sa.Integer(), nullable=True),
    sa.Column('publisher_id', sa.Integer(), nullable=True),
    sa.Column('created_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('published_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.Column('review_note', sa.Text(), nullable=False),
    sa.Column('ticket_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['author_id'], ['staff.id'], name=op.f('fk_entry_version_author_id_staff')),
    sa.ForeignKeyConstraint(['entry_id'], ['entry.id'], name=op.f('fk_entry_version_entry_id_entry')),
    sa.ForeignKeyConstraint(['publisher_id'], ['staff.id'], name=op.f('fk_entry_version_publisher_id_staff')),
    sa.ForeignKeyConstraint(['scope_unit_id'], ['unit.id'], name=op.f('fk_entry_version_scope_unit_id_unit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_entry_version')),
    sa.UniqueConstraint('entry_id', 'number', name=op.f('uq_entry_version_entry_id_number'))
    )
    with op.batch_alter_table('entry_version', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_entry_version_entry_id'), ['entry_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_entry_version_state'), ['state'], unique=False)

    op.create_table('invite',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('token_digest', sa.String(length=64), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('created_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('expires_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('used_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['created_by_id'], ['staff.id'], name=op.f('fk_invite_created_by_id_staff')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_invite_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invite')),
    sa.UniqueConstraint('token_digest', name=op.f('uq_invite_token_digest'))
    )
    with op.batch_alter_table('invite', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invite_staff_id'), ['staff_id'], unique=False)

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
    op.create_table('mailbox_item',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('contact_id', sa.Integer(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('op', sa.Enum('append', 'replace', 'remove', 'toast', name='op', native_enum=False, length=32), nullable=False),
    sa.Column('target', sa.Integer(), nullable=False),
    sa.Column('mine', sa.Boolean(), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('key', sa.String(length=120), nullable=True),
    sa.Column('at', office.store.UTCTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['contact_id'], ['contact.id'], name=op.f('fk_mailbox_item_contact_id_contact')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mailbox_item')),
    sa.UniqueConstraint('contact_id', 'key', name=op.f('uq_mailbox_item_contact_id_key')),
    sa.UniqueConstraint('contact_id', 'seq', name=op.f('uq_mailbox_item_contact_id_seq'))
    )
    op.create_table('sign_in',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('token_digest', sa.String(length=64), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('created_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('expires_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('ended_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.Column('device', sa.String(length=120), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_sign_in_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in')),
    sa.UniqueConstraint('token_digest', name=op.f('uq_sign_in_token_digest'))
    )
    with op.batch_alter_table('sign_in', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sign_in_staff_id'), ['staff_id'], unique=False)

    op.create_table('answer_given',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('contact_id', sa.Integer(), nullable=False),
    sa.Column('entry_version_id', sa.Integer(), nullable=False),
    sa.Column('at', office.store.UTCTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['contact_id'], ['contact.id'], name=op.f('fk_answer_given_contact_id_contact')),
    sa.ForeignKeyConstraint(['entry_version_id'], ['entry_version.id'], name=op.f('fk_answer_given_entry_version_id_entry_version')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_answer_given'))
    )
    with op.batch_alter_table('answer_given', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_answer_given_contact_id'), ['contact_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_answer_given_entry_version_id'), ['entry_version_id'], unique=False)

    op.create_table('phrasing',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version_id', sa.Integer(), nullable=False),
    sa.Column('text', sa.String(length=300), nullable=False),
    sa.Column('exact', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['version_id'], ['entry_version.id'], name=op.f('fk_phrasing_version_id_entry_version')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_phrasing'))
    )
    with op.batch_alter_table('phrasing', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_phrasing_version_id'), ['version_id'], unique=False)

    op.create_table('ticket',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('unassigned', 'assigned', 'working', 'on_hold', 'in_review', 'answered', 'closed', 'offline', 'merged', 'void', name='ticketstate', native_enum=False, length=32), nullable=False),
    sa.Column('kind', sa.Enum('enquiry', 'correction', 'appeal', 'verify', 'cross_area', 'report', 'privacy', name='ticketkind', native_enum=False, length=32), nullable=False),
    sa.Column('ticket_no', sa.String(length=24), nullable=False),
    sa.Column('progress_code', sa.String(length=4), nullable=False),
    sa.Column('district_code', sa.String(length=4), nullable=False),
    sa.Column('serial', sa.Integer(), nullable=False),
    sa.Column('contact_id', sa.Integer(), nullable=True),
    sa.Column('channel', sa.Enum('telegram', 'web', 'wecom_robot', 'dingtalk_robot', 'feishu_robot', 'phone', 'counter', name='channel', native_enum=False, length=32), nullable=False),
    sa.Column('unit_id', sa.Integer(), nullable=False),
    sa.Column('topic', sa.String(length=32), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('has_personal', sa.Boolean(), nullable=False),
    sa.Column('asked_for_person', sa.Boolean(), nullable=False),
    sa.Column('why_unanswered', sa.Enum('no_entry', 'needs_superior', 'needs_data', 'other_region', 'restricted', name='unansweredreason', native_enum=False, length=32), nullable=False),
    sa.Column('priority', sa.Enum('p1', 'p2', 'p3', name='priority', native_enum=False, length=32), nullable=False),
    sa.Column('business_day', sa.Date(), nullable=False),
    sa.Column('due_day', sa.Date(), nullable=False),
    sa.Column('promised_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('due_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('accepted_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('taken_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.Column('first_taker_id', sa.Integer(), nullable=True),
    sa.Column('assignee_id', sa.Integer(), nullable=True),
    sa.Column('conclusion_no', sa.Integer(), nullable=False),
    sa.Column('conclusion_version_id', sa.Integer(), nullable=True),
    sa.Column('conclusion_basis', sa.Text(), nullable=False),
    sa.Column('proposed_text', sa.Text(), nullable=False),
    sa.Column('answer_text', sa.Text(), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=True),
    sa.Column('reviewer_id', sa.Integer(), nullable=True),
    sa.Column('answered_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.Column('closed_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.Column('closed_by', sa.Enum('asker', 'clock', 'officer', name='closedby', native_enum=False, length=32), nullable=True),
    sa.Column('follow_up_due_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.Column('follow_up_asked_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.Column('follow_up', sa.Enum('solved', 'not_solved', 'no_comment', name='followup', native_enum=False, length=32), nullable=True),
    sa.Column('merged_into_id', sa.Integer(), nullable=True),
    sa.Column('reopen_count', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('entry_created_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['assignee_id'], ['staff.id'], name=op.f('fk_ticket_assignee_id_staff')),
    sa.ForeignKeyConstraint(['author_id'], ['staff.id'], name=op.f('fk_ticket_author_id_staff')),
    sa.ForeignKeyConstraint(['conclusion_version_id'], ['entry_version.id'], name=op.f('fk_ticket_conclusion_version_id_entry_version')),
    sa.ForeignKeyConstraint(['contact_id'], ['contact.id'], name=op.f('fk_ticket_contact_id_contact')),
    sa.ForeignKeyConstraint(['entry_created_id'], ['entry.id'], name=op.f('fk_ticket_entry_created_id_entry')),
    sa.ForeignKeyConstraint(['first_taker_id'], ['staff.id'], name=op.f('fk_ticket_first_taker_id_staff')),
    sa.ForeignKeyConstraint(['merged_into_id'], ['ticket.id'], name=op.f('fk_ticket_merged_into_id_ticket')),
    sa.ForeignKeyConstraint(['reviewer_id'], ['staff.id'], name=op.f('fk_ticket_reviewer_id_staff')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_ticket_unit_id_unit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket')),
    sa.UniqueConstraint('business_day', 'serial', 'district_code', name=op.f('uq_ticket_business_day_serial_district_code'))
    )
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ticket_contact_id'), ['contact_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_ticket_due_at'), ['due_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_ticket_follow_up_asked_at'), ['follow_up_asked_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_ticket_follow_up_due_at'), ['follow_up_due_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_ticket_state'), ['state'], unique=False)
        batch_op.create_index(batch_op.f('ix_ticket_ticket_no'), ['ticket_no'], unique=False)

    op.create_table('enquiry',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('contact_id', sa.Integer(), nullable=False),
    sa.Column('channel', sa.Enum('telegram', 'web', 'wecom_robot', 'dingtalk_robot', 'feishu_robot', 'phone', 'counter', name='channel', native_enum=False, length=32), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('topic', sa.String(length=32), nullable=False),
    sa.Column('outcome', sa.Enum('auto', 'on_the_spot', 'ticketed', name='outcome', native_enum=False, length=32), nullable=True),
    sa.Column('entry_id', sa.Integer(), nullable=True),
    sa.Column('entry_version_id', sa.Integer(), nullable=True),
    sa.Column('offered', sa.JSON(), nullable=False),
    sa.Column('probability', sa.Double(), nullable=True),
    sa.Column('solved', sa.Boolean(), nullable=True),
    sa.Column('ticket_id', sa.Integer(), nullable=True),
    sa.Column('event_id', sa.String(length=80), nullable=False),
    sa.Column('pending_until', office.store.UTCTime(timezone=True), nullable=True),
    sa.Column('at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('business_day', sa.Date(), nullable=False),
    sa.ForeignKeyConstraint(['contact_id'], ['contact.id'], name=op.f('fk_enquiry_contact_id_contact')),
    sa.ForeignKeyConstraint(['entry_id'], ['entry.id'], name=op.f('fk_enquiry_entry_id_entry')),
    sa.ForeignKeyConstraint(['entry_version_id'], ['entry_version.id'], name=op.f('fk_enquiry_entry_version_id_entry_version')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_enquiry_ticket_id_ticket')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_enquiry'))
    )
    with op.batch_alter_table('enquiry', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_enquiry_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_enquiry_contact_id'), ['contact_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_enquiry_outcome'), ['outcome'], unique=False)
        batch_op.create_index(batch_op.f('ix_enquiry_pending_until'), ['pending_until'], unique=False)
        batch_op.create_index(batch_op.f('ix_enquiry_ticket_id'), ['ticket_id'], unique=False)

    op.create_table('thread_post',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ticket_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('asker', 'edited', 'interim', 'answer', 'note', name='postkind', native_enum=False, length=32), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=True),
    sa.Column('event_id', sa.String(length=80), nullable=False),
    sa.Column('at', office.store.UTCTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_thread_post_staff_id_staff')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_thread_post_ticket_id_ticket')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_thread_post'))
    )
    with op.batch_alter_table('thread_post', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_thread_post_ticket_id'), ['ticket_id'], unique=False)

    op.create_table('ticket_draft',
    sa.Column('ticket_id', sa.Integer(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('saved_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_ticket_draft_staff_id_staff')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_draft_ticket_id_ticket')),
    sa.PrimaryKeyConstraint('ticket_id', 'staff_id', name=op.f('pk_ticket_draft'))
    )
    op.create_table('ticket_looking',
    sa.Column('ticket_id', sa.Integer(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('at', office.store.UTCTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_ticket_looking_staff_id_staff')),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_looking_ticket_id_ticket')),
    sa.PrimaryKeyConstraint('ticket_id', 'staff_id', name=op.f('pk_ticket_looking'))
    )

    op.bulk_insert(
        sa.table('audit_head', sa.column('id'), sa.column('count'), sa.column('last_hash')),
        [{'id': 1, 'count': 0, 'last_hash': '0' * 64}],
    )
    op.bulk_insert(sa.table('base_state', sa.column('id'), sa.column('revision')), [{'id': 1, 'revision': 0}])
    # The audit is append-only: the database itself refuses to change or remove a line.
    if op.get_bind().dialect.name == 'sqlite':
        for act in ('UPDATE', 'DELETE'):
            op.execute(
                f"CREATE TRIGGER audit_entry_no_{act.lower()} BEFORE {act} ON audit_entry "
                "BEGIN SELECT RAISE(ABORT, 'audit entries are append-only'); END"
            )
    else:
        op.execute(
            "CREATE FUNCTION audit_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'audit entries are append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_refuse()"
        )


def downgrade() -> None:
    op.drop_table('ticket_looking')
    op.drop_table('ticket_draft')
    with op.batch_alter_table('thread_post', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_thread_post_ticket_id'))

    op.drop_table('thread_post')
    with op.batch_alter_table('enquiry', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_enquiry_ticket_id'))
        batch_op.drop_index(batch_op.f('ix_enquiry_pending_until'))
        batch_op.drop_index(batch_op.f('ix_enquiry_outcome'))
        batch_op.drop_index(batch_op.f('ix_enquiry_contact_id'))
        batch_op.drop_index(batch_op.f('ix_enquiry_at'))

    op.drop_table('enquiry')
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_ticket_ticket_no'))
        batch_op.drop_index(batch_op.f('ix_ticket_state'))
        batch_op.drop_index(batch_op.f('ix_ticket_follow_up_due_at'))
        batch_op.drop_index(batch_op.f('ix_ticket_follow_up_asked_at'))
        batch_op.drop_index(batch_op.f('ix_ticket_due_at'))
        batch_op.drop_index(batch_op.f('ix_ticket_contact_id'))

    op.drop_table('ticket')
    with op.batch_alter_table('phrasing', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_phrasing_version_id'))

    op.drop_table('phrasing')
    with op.batch_alter_table('answer_given', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_answer_given_entry_version_id'))
        batch_op.drop_index(batch_op.f('ix_answer_given_contact_id'))

    op.drop_table('answer_given')
    with op.batch_alter_table('sign_in', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sign_in_staff_id'))

    op.drop_table('sign_in')
    op.drop_table('mailbox_item')
    op.drop_table('key_date')
    with op.batch_alter_table('invite', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_invite_staff_id'))

    op.drop_table('invite')
    with op.batch_alter_table('entry_version', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_entry_version_state'))
        batch_op.drop_index(batch_op.f('ix_entry_version_entry_id'))

    op.drop_table('entry_version')
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_delivery_subject'))
        batch_op.drop_index(batch_op.f('ix_delivery_due_at'))
        batch_op.drop_index(batch_op.f('ix_delivery_contact_id'))

    op.drop_table('delivery')
    op.drop_table('staff')
    op.drop_table('election')
    op.drop_table('contact')
    with op.batch_alter_table('unit', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_unit_path'))

    op.drop_table('unit')
    op.drop_table('ticket_serial')
    with op.batch_alter_table('inbound_event', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_inbound_event_at'))

    op.drop_table('inbound_event')
    with op.batch_alter_table('entry', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_entry_revision'))

    op.drop_table('entry')
    op.drop_table('budget')
    op.drop_table('base_state')
    op.drop_table('audit_head')
    with op.batch_alter_table('audit_entry', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_audit_entry_subject'))
        batch_op.drop_index(batch_op.f('ix_audit_entry_action'))

    op.drop_table('audit_entry')
    if op.get_bind().dialect.name != 'sqlite':
        op.execute('DROP FUNCTION audit_entry_refuse()')
