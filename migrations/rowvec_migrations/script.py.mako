"""${message}."""

from __future__ import annotations

import migrations

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run migrations/sql/${up_revision}."""
    migrations.execute(${repr(up_revision)})
