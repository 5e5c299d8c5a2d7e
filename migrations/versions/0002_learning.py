"""learning: models of the matcher, labelled pairs, and who is learning"""

from alembic import op
import sqlalchemy as sa
import office.store

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('matcher_model',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('made_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('base_revision', sa.Integer(), nullable=False),
    sa.Column('lessons', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('trained_on', sa.JSON(), nullable=False),
    sa.Column('figures', sa.JSON(), nullable=False),
    sa.Column('state', sa.Enum('candidate', 'active', 'replaced', 'refused', name='modelstate', native_enum=False, length=32), nullable=False),
    sa.Column('activated_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_matcher_model'))
    )
    with op.batch_alter_table('matcher_model', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_matcher_model_state'), ['state'], unique=False)

    with op.batch_alter_table('base_state', schema=None) as batch_op:
        batch_op.add_column(sa.Column('model_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_base_state_model_id_matcher_model'), 'matcher_model', ['model_id'], ['id'])

    op.create_table('lease',
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('begun_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('until', office.store.UTCTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_lease'))
    )
    op.create_table('lesson',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('entry_id', sa.Integer(), nullable=True),
    sa.Column('right', sa.Boolean(), nullable=False),
    sa.Column('weight', sa.Double(), nullable=False),
    sa.Column('source', sa.Enum('solved', 'not_solved', 'choice_taken', 'choices_refused', 'desk_phrasing', 'desk_pointed', 'desk_new', 'desk_dismissed', name='source', native_enum=False, length=32), nullable=False),
    sa.Column('probability', sa.Double(), nullable=True),
    sa.Column('contact_id', sa.Integer(), nullable=True),
    sa.Column('staff_id', sa.Integer(), nullable=True),
    sa.Column('enquiry_id', sa.Integer(), nullable=True),
    sa.Column('at', office.store.UTCTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['contact_id'], ['contact.id'], name=op.f('fk_lesson_contact_id_contact')),
    sa.ForeignKeyConstraint(['entry_id'], ['entry.id'], name=op.f('fk_lesson_entry_id_entry')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_lesson_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lesson')),
    sa.UniqueConstraint('key', name=op.f('uq_lesson_key'))
    )
    with op.batch_alter_table('lesson', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_lesson_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_lesson_contact_id'), ['contact_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('lesson', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_lesson_contact_id'))
        batch_op.drop_index(batch_op.f('ix_lesson_at'))

    op.drop_table('lesson')
    op.drop_table('lease')
    with op.batch_alter_table('base_state', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_base_state_model_id_matcher_model'), type_='foreignkey')
        batch_op.drop_column('model_id')

    with op.batch_alter_table('matcher_model', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_matcher_model_state'))

    op.drop_table('matcher_model')
