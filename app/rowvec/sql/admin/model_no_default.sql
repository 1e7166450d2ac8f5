-- Purpose: take the default from the model that has it, for another. Locks: that row. Index: none, a few rows.
-- Called by: models.add_model.
UPDATE rowvec_internal.model SET is_default = false WHERE is_default AND name <> %(name)s
