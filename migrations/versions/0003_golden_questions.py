"""golden questions: the desk's own ones, and the check before each publication"""

from alembic import op
import sqlalchemy as sa
import office.store

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('golden_question',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('q', sa.String(length=300), nullable=False),
    sa.Column('topic', sa.String(length=32), nullable=False),
    sa.Column('entry_id', sa.Integer(), nullable=True),
    sa.Column('audience', sa.Enum('voter', 'staff', name='audience', native_enum=False, length=32), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('added_by_id', sa.Integer(), nullable=False),
    sa.Column('added_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('retired_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['added_by_id'], ['staff.id'], name=op.f('fk_golden_question_added_by_id_staff')),
    sa.ForeignKeyConstraint(['entry_id'], ['entry.id'], name=op.f('fk_golden_question_entry_id_entry')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_golden_question')),
    sa.UniqueConstraint('q', name=op.f('uq_golden_question_q'))
    )
    op.create_table('publication_check',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('version_id', sa.Integer(), nullable=False),
    sa.Column('seen', sa.Integer(), nullable=False),
    sa.Column('base_revision', sa.Integer(), nullable=False),
    sa.Column('model_digest', sa.String(length=64), nullable=False),
    sa.Column('questions', sa.String(length=64), nullable=False),
    sa.Column('figures', sa.JSON(), nullable=False),
    sa.Column('changes', sa.JSON(), nullable=False),
    sa.Column('state', sa.Enum('passed', 'blocked', 'asked', 'overridden', name='checkstate', native_enum=False, length=32), nullable=False),
    sa.Column('made_by_id', sa.Integer(), nullable=False),
    sa.Column('made_at', office.store.UTCTime(timezone=True), nullable=False),
    sa.Column('asked_by_id', sa.Integer(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('overridden_by_id', sa.Integer(), nullable=True),
    sa.Column('overridden_at', office.store.UTCTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['asked_by_id'], ['staff.id'], name=op.f('fk_publication_check_asked_by_id_staff')),
    sa.ForeignKeyConstraint(['made_by_id'], ['staff.id'], name=op.f('fk_publication_check_made_by_id_staff')),
    sa.ForeignKeyConstraint(['overridden_by_id'], ['staff.id'], name=op.f('fk_publication_check_overridden_by_id_staff')),
    sa.ForeignKeyConstraint(['version_id'], ['entry_version.id'], name=op.f('fk_publication_check_version_id_entry_version')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_publication_check'))
    )
    with op.batch_alter_table('publication_check', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_publication_check_version_id'), ['version_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('publication_check', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_publication_check_version_id'))

    op.drop_table('publication_check')
    op.drop_table('golden_question')
