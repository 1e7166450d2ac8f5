"""The test suite: real PostgreSQL always, a fake encoder where an invariant must be exact."""
