-- Sources that were there before this revision.
SELECT rowvec._grant_vectors(id) FROM rowvec.source;
