-- Asks for a pass over the whole source: rows whose text's hash differs are embedded, vectors without a row are cleared.
CREATE FUNCTION rowvec.recheck(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO rowvec.change (source_id, keys) VALUES (rowvec._source_id(name), NULL);
  PERFORM rowvec.ring();
END $$;
