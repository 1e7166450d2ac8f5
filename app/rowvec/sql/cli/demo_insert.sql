-- Purpose: the demo's texts, in one statement; a text that is there already stays as it is. Locks: the rows written.
-- Index: stdlib_title_key. Called by: demo.
INSERT INTO public.stdlib AS s (title, body)
SELECT * FROM unnest(%(titles)s::text[], %(bodies)s::text[])
ON CONFLICT (title) DO UPDATE SET body = EXCLUDED.body WHERE s.body <> EXCLUDED.body
