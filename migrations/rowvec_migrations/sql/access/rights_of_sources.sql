-- What runs with the owner's rights, or is only ours, is not for everybody; wait() and the views are.
REVOKE EXECUTE ON FUNCTION rowvec_internal.install_triggers(smallint), rowvec_internal.drop_triggers(smallint), rowvec_internal.resolve(smallint),
  rowvec_internal.follow(smallint, name[], smallint[], text[]) FROM PUBLIC;
GRANT SELECT ON rowvec.status TO PUBLIC;
GRANT USAGE ON SCHEMA rowvec_internal TO PUBLIC;
