-- What runs with the owner's rights, or is only ours, is not for everybody. embed, search and what they call are.
REVOKE EXECUTE ON FUNCTION rowvec._ask(smallint, text, text, smallint), rowvec._take_answer(uuid), rowvec._claim_queries(smallint[]), rowvec._answer_queries(uuid[], vector[]), rowvec._answer_preview(uuid, text), rowvec._fail_query(uuid, text), rowvec._release_queries(uuid[]),
  rowvec._remember_queries(smallint, text, text[], vector[]), rowvec._sweep_queries(bigint), rowvec._mailbox_folder(),
  rowvec._by_loopback(smallint, text, text, smallint, interval), rowvec._by_mailbox(text, smallint, text, text, smallint, interval),
  rowvec._set_loopback(text, integer, text, text, integer, integer), rowvec._grant_loopback(name), rowvec._drop_loopback(),
  rowvec._same_database(oid, numeric), rowvec._try_loopback(),
  rowvec._grant_vectors(smallint), rowvec._ungrant_vectors(regclass), rowvec._keep_in_step(), rowvec._make_plain(smallint) FROM PUBLIC;
