-- Purpose: the expression that rowvec.hybrid_search matches, with the column names of the table itself. Locks: none.
-- Called by: index_build.build_text.
SELECT rowvec_internal.text_document(NULL, s.text_columns, %s::regconfig), s.source_table::text
FROM rowvec_internal.source s WHERE s.name = %s
