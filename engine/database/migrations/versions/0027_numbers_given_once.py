"""On SQLite too, the number of a row that is gone is given to no other: of tables whose numbers are remembered."""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_TABLES = ("person", "case", "decision", "series", "series_write", "intent", "feed", "session")


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return  # a sequence never goes back
    for name in _TABLES:
        with op.batch_alter_table(name, recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")
