-- On our own catalogue, not on a user's table.
CREATE TRIGGER follow_source AFTER INSERT OR DELETE OR UPDATE OF source_table, key_columns, vector_table ON rowvec.source
FOR EACH ROW EXECUTE FUNCTION rowvec._follow_source();
