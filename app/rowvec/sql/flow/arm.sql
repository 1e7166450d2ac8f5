-- Purpose: "ring me, I sleep" (or no more). HOT at fillfactor 50.
UPDATE rowvec.worker SET armed = %(armed)s WHERE id = %(worker)s AND armed <> %(armed)s
