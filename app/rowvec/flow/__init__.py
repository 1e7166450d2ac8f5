"""A row's way to its vector: claim its change, plan, embed, write the vector and finish the change.

Imports: database, and of encode its interface (`encoder`, `chunks`). Begin at `pipeline`, `claiming`, `change_log`.
"""
