"""the blind roll, its lookups, and what a ticket carries from one"""

from alembic import op
import sqlalchemy as sa
import office.store

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('roll_place',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('district', sa.String(length=80), nullable=False),
    sa.Column('group_no', sa.String(length=16), nullable=False),
    sa.Column('station', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_roll_place')),
    sa.UniqueConstraint('district', 'group_no', 'station', name=op.f('uq_roll_place_district_group_no_station'))
    )
    op.create_table('roll_row',
    sa.Column('import_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('digest', sa.LargeBinary(length=16), nullable=False),
    sa.Column('place_id', sa.Integer(), nullable=False),
    sa.Column('mark', sa.SmallInteger(), nullable=False),
    sa.PrimaryKeyConstraint('import_id', 'digest', name=op.f('pk_roll_row')),
    sqlite_with_rowid=False
    )
    op.create_table('lookup_act',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('channel', sa.String(length=32), nullable=False),
    sa.Column('way', sa.Enum('identity', 'receipt', 'counter', 'case', name='way', native_enum=False, length=32), nullable=False),
    sa.Column('result', sa.Enum('registered', 'not_found', 'ask_station', name='lookupresult', native_enum=False, length=32), nullable=False),
    sa.Column('notice', sa.String(length=16), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_lookup_act_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lookup_act'))
    )
    with op.batch_alter_table('lookup_act', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_lookup_act_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_lookup_act_staff_id'), ['staff_id'], unique=False)

    op.create_table('lookup_link',
    sa.Column('token_digest', sa.String(length=64), nullable=False),
    sa.Column('channel', sa.Enum('telegram', 'web', 'wecom_robot', 'dingtalk_robot', 'feishu_robot', 'phone', 'counter', name='channel', native_enum=False, length=32), nullable=False),
    sa.Column('contact_id', sa.Integer(), nullable=True),
    sa.Column('made_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('expires_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('opened_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['contact_id'], ['contact.id'], name=op.f('fk_lookup_link_contact_id_contact')),
    sa.PrimaryKeyConstraint('token_digest', name=op.f('pk_lookup_link'))
    )
    with op.batch_alter_table('lookup_link', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_lookup_link_contact_id'), ['contact_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_lookup_link_expires_at'), ['expires_at'], unique=False)

    op.create_table('lookup_review',
    sa.Column('week', sa.Date(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('remark', sa.String(length=300), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_lookup_review_staff_id_staff')),
    sa.PrimaryKeyConstraint('week', name=op.f('pk_lookup_review'))
    )
    op.create_table('receipt_stop',
    sa.Column('digest', sa.LargeBinary(length=16), nullable=False),
    sa.Column('at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_receipt_stop_staff_id_staff')),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_receipt_stop'))
    )
    op.create_table('roll_import',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('loading', 'prepared', 'applied', 'replaced', 'rolled_back', 'dropped', 'purged', name='importstate', native_enum=False, length=32), nullable=False),
    sa.Column('package_id', sa.String(length=32), nullable=False),
    sa.Column('package_hash', sa.String(length=64), nullable=False),
    sa.Column('election', sa.String(length=80), nullable=False),
    sa.Column('key_id', sa.String(length=16), nullable=False),
    sa.Column('digest_version', sa.Integer(), nullable=False),
    sa.Column('signer', sa.String(length=64), nullable=False),
    sa.Column('made_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('counts', sa.JSON(), nullable=False),
    sa.Column('prepared_by_id', sa.Integer(), nullable=True),
    sa.Column('prepared_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('applied_by_id', sa.Integer(), nullable=True),
    sa.Column('applied_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.Column('ended_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.Column('cleared_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['applied_by_id'], ['staff.id'], name=op.f('fk_roll_import_applied_by_id_staff')),
    sa.ForeignKeyConstraint(['prepared_by_id'], ['staff.id'], name=op.f('fk_roll_import_prepared_by_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_roll_import')),
    sa.UniqueConstraint('package_id', name=op.f('uq_roll_import_package_id'))
    )
    with op.batch_alter_table('roll_import', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_roll_import_state'), ['state'], unique=False)

    op.create_table('roll_purge',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('asked', 'done', 'dropped', name='purgestate', native_enum=False, length=32), nullable=False),
    sa.Column('election', sa.String(length=80), nullable=False),
    sa.Column('asked_by_id', sa.Integer(), nullable=False),
    sa.Column('asked_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('basis', sa.String(length=300), nullable=False),
    sa.Column('done_by_id', sa.Integer(), nullable=True),
    sa.Column('done_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['asked_by_id'], ['staff.id'], name=op.f('fk_roll_purge_asked_by_id_staff')),
    sa.ForeignKeyConstraint(['done_by_id'], ['staff.id'], name=op.f('fk_roll_purge_done_by_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_roll_purge'))
    )
    with op.batch_alter_table('roll_purge', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_roll_purge_state'), ['state'], unique=False)

    op.create_table('suppression',
    sa.Column('digest', sa.LargeBinary(length=16), nullable=False),
    sa.Column('basis', sa.String(length=200), nullable=False),
    sa.Column('at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('lift_asked_by_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['lift_asked_by_id'], ['staff.id'], name=op.f('fk_suppression_lift_asked_by_id_staff')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_suppression_staff_id_staff')),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_suppression'))
    )
    op.create_table('roll_state',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('current_id', sa.Integer(), nullable=True),
    sa.Column('previous_id', sa.Integer(), nullable=True),
    sa.Column('stopped_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.Column('stopped_why', sa.String(length=32), nullable=False),
    sa.ForeignKeyConstraint(['current_id'], ['roll_import.id'], name=op.f('fk_roll_state_current_id_roll_import')),
    sa.ForeignKeyConstraint(['previous_id'], ['roll_import.id'], name=op.f('fk_roll_state_previous_id_roll_import')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_roll_state'))
    )
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.add_column(sa.Column('roll_issue', sa.Enum('missing', 'wrong', 'duplicate', 'appeal', name='rollissue', native_enum=False, length=32), nullable=True))
        batch_op.add_column(sa.Column('statutory_kind', sa.Enum('appeal_decision', 'correction', name='statutorykind', native_enum=False, length=32), nullable=True))
        batch_op.add_column(sa.Column('statutory_due', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('lookup_result', sa.String(length=16), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('receipt_digest', sa.LargeBinary(length=16), nullable=True))
    op.bulk_insert(
        sa.table('roll_state', sa.column('id'), sa.column('stopped_why')), [{'id': 1, 'stopped_why': ''}]
    )


def downgrade() -> None:
    # ### commands auto generated by Alembic - please adjust! ###
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.drop_column('receipt_digest')
        batch_op.drop_column('lookup_result')
        batch_op.drop_column('statutory_due')
        batch_op.drop_column('statutory_kind')
        batch_op.drop_column('roll_issue')

    op.drop_table('roll_state')
    op.drop_table('suppression')
    with op.batch_alter_table('roll_purge', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_roll_purge_state'))

    op.drop_table('roll_purge')
    with op.batch_alter_table('roll_import', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_roll_import_state'))

    op.drop_table('roll_import')
    op.drop_table('receipt_stop')
    op.drop_table('lookup_review')
    with op.batch_alter_table('lookup_link', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_lookup_link_expires_at'))
        batch_op.drop_index(batch_op.f('ix_lookup_link_contact_id'))

    op.drop_table('lookup_link')
    with op.batch_alter_table('lookup_act', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_lookup_act_staff_id'))
        batch_op.drop_index(batch_op.f('ix_lookup_act_at'))

    op.drop_table('lookup_act')
    op.drop_table('roll_row')
    op.drop_table('roll_place')
    # ### end Alembic commands ###
