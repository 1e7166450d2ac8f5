-- What runs with the owner's rights, or is only ours, is not for everybody. embed, search and what they call are.
REVOKE EXECUTE ON FUNCTION rowvec_internal.ask(smallint, text, text, smallint), rowvec_internal.take_answer(uuid), rowvec_internal.claim_queries(smallint[]), rowvec_internal.answer_queries(uuid[], vector[]), rowvec_internal.answer_preview(uuid, text), rowvec_internal.fail_query(uuid, text), rowvec_internal.release_queries(uuid[]),
  rowvec_internal.remember_queries(smallint, text, text[], vector[]), rowvec_internal.sweep_queries(bigint), rowvec_internal.mailbox_folder(),
  rowvec_internal.by_loopback(smallint, text, text, smallint, interval), rowvec_internal.by_mailbox(text, smallint, text, text, smallint, interval),
  rowvec_internal.set_loopback(text, integer, text, text, integer, integer), rowvec_internal.grant_loopback(name), rowvec_internal.drop_loopback(),
  rowvec_internal.same_database(oid, numeric), rowvec_internal.try_loopback(),
  rowvec_internal.grant_vectors(smallint), rowvec_internal.ungrant_vectors(regclass), rowvec_internal.keep_in_step(), rowvec_internal.make_plain(smallint) FROM PUBLIC;
