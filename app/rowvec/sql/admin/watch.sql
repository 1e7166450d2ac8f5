-- Purpose: begin to watch a table; the function checks what is asked. Locks: SHARE ROW EXCLUSIVE on the table, for 2 s
-- at most. Called by: catalogue.watch.
SELECT rowvec.watch(%(table)s::regclass, %(columns)s::text[], name => %(name)s::text, model => %(model)s::text,
                    template => %(template)s::text, into_column => %(into_column)s::text,
                    chunk_tokens => %(chunk_tokens)s::integer, chunk_overlap => %(chunk_overlap)s::integer,
                    backfill => %(backfill)s::boolean, if_not_exists => %(if_not_exists)s::boolean,
                      on_overflow => %(on_overflow)s::text,
                    store_text => %(store_text)s::boolean, document_prompt => %(document_prompt)s::text,
                      query_prompt => %(query_prompt)s::text,
                    replace => %(replace)s::boolean, index => %(index)s::text)
