"""the pairs of characters by which tickets are found, of those that are there already"""

from alembic import op
import sqlalchemy as sa

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TOGETHER = 500
PLANE = 0x110000


def upgrade() -> None:
    connection = op.get_bind()
    ticket = sa.table("ticket", sa.column("id"), sa.column("words"), sa.column("answer_text"))
    gram = sa.table("ticket_gram", sa.column("gram", sa.BigInteger), sa.column("ticket_id", sa.Integer))
    last = 0
    while True:
        rows = connection.execute(
            sa.select(ticket).where(ticket.c.id > last).order_by(ticket.c.id).limit(TOGETHER)
        ).all()
        if not rows:
            return
        found = [{"gram": one, "ticket_id": row.id} for row in rows for one in pairs(row.words, row.answer_text)]
        if found:
            connection.execute(sa.insert(gram), found)
        last = rows[-1].id


def downgrade() -> None:
    op.execute("DELETE FROM ticket_gram")


def pairs(*texts: str) -> list[int]:
    found = set()
    for text in texts:
        lowered = text.lower()
        for first, second in zip(lowered, lowered[1:]):
            if not (first.isspace() or second.isspace()):
                found.add(ord(first) * PLANE + ord(second))
    return sorted(found)
