-- What runs with the owner's rights, or is only ours, is not for everybody; wait() and the views are.
REVOKE EXECUTE ON FUNCTION rowvec._install_triggers(smallint), rowvec._drop_triggers(smallint), rowvec._resolve(smallint),
  rowvec._follow(smallint, name[], smallint[], text[]) FROM PUBLIC;
GRANT SELECT ON rowvec.status TO PUBLIC;
