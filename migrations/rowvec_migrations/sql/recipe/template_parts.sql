-- A template split into its parts, in order: {column}, a literal ({{ and }} are braces), or a brace that is not
-- closed or not opened, of kind 'brace'. Locks: none.
CREATE OR REPLACE FUNCTION rowvec_internal.template_parts(p_template text) RETURNS TABLE (i bigint, kind text,
  word text) LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT i, CASE WHEN m[1] IN ('{{', '}}') THEN 'literal' WHEN m[1] ~ '^\{.+\}$' THEN 'column'
    WHEN m[1] IN ('{', '}') THEN 'brace' ELSE 'literal' END,
         CASE WHEN m[1] IN ('{{', '}}') THEN left(m[1], 1) WHEN m[1] ~ '^\{.+\}$'
           THEN substr(m[1], 2, length(m[1]) - 2) ELSE m[1] END
  FROM regexp_matches(p_template, '(\{\{|\}\}|\{[^{}]+\}|[{}]|[^{}]+)', 'g') WITH ORDINALITY r(m, i)
$$;
