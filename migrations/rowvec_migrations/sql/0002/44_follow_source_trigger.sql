-- On our own catalogue, not on a user's table.
CREATE TRIGGER follow_source AFTER INSERT OR DELETE OR UPDATE OF source_table, key_columns, vector_table, into_column, chunk_tokens, on_overflow ON rowvec.source
FOR EACH ROW EXECUTE FUNCTION rowvec._follow_source();
