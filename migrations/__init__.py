"""Alembic migrations; each revision loads its own frozen SQL, never the newest."""
