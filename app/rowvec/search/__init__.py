"""Text to vector for SQL functions (query server, mailbox, loop-back), previews, indexes.

Imports: database, and of encode its interface (`encoder`, `chunks`). Begin at `query_server`.
"""
