"""The schemas `rowvec` and `rowvec_internal`: tables by revision, functions by folder, applied from Python.

Holds the SQL that runs in the database and what applies it. Imports nothing of rowvec: it is below it.
Begin with migrate.upgrade, then sql/order.txt; schema.py has the tables as Alembic checks them.
"""

from rowvec_migrations.locks import Patience, Unfinished
from rowvec_migrations.migrate import check, config, current, downgrade, upgrade

__all__ = ["Patience", "Unfinished", "check", "config", "current", "downgrade", "upgrade"]
