"""The hash of a text with its model; pure. The text itself is made in SQL, by rowvec_internal.text_sql."""

from __future__ import annotations

from hashlib import blake2b


def identity(fingerprint: str, precision: str, prompt: str = "", *, splitting: str = "") -> bytes:
    """What a hash is bound to beside the text: the model, its precision, the prompt put before it, how it is split."""
    return f"{fingerprint}/{precision}/{prompt}{splitting and '/'}{splitting}".encode()


def text_hash(text: str, bound_to: bytes) -> bytes:
    """Return 16 bytes, equal when text and identity are equal: a vector of another model is never taken for ours."""
    digest = blake2b(bound_to, digest_size=16)
    digest.update(b"\x00")
    digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.digest()
