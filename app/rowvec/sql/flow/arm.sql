-- Purpose: "ring me, I sleep" (or no more). HOT at fillfactor 50.
UPDATE rowvec_internal.daemon SET armed = %(armed)s WHERE id = %(daemon)s AND armed <> %(armed)s
