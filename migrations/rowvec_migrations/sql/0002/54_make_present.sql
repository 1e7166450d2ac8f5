-- Sources that were there before this revision.
SELECT rowvec._make_plain(id) FROM rowvec.source;
