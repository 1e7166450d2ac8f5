-- Calls follow_source. The trigger is on our own catalogue, not on a user's table.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'rowvec_internal.source'::regclass
    AND tgname = 'follow_source') THEN
    CREATE TRIGGER follow_source AFTER INSERT OR DELETE OR UPDATE OF source_table, key_columns, vector_table,
      into_column, chunk_tokens, on_overflow ON rowvec_internal.source
    FOR EACH ROW EXECUTE FUNCTION rowvec_internal.follow_source();
  END IF;
END $$;
