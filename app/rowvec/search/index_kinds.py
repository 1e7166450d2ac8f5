"""The kinds of HNSW index: what each holds of a vector, and its limits; pure.

A new kind is an entry here and in `Kind` (the command line offers those); index_plan.choose says when it is chosen. The
searches that use it are made in rowvec_migrations/sql/search: search_facts.sql recognises the index by its operator
class, search_sql.sql writes the same expression into the query.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["vector", "halfvec", "bit"]
Choice = Literal["auto", "vector", "halfvec", "bit"]
Similarity = Literal["cosine", "dot", "euclidean"]


@dataclass(frozen=True, slots=True)
class IndexKind:
    """What pgvector needs to know of a kind, and what it costs."""

    most_dims: int  # pgvector's limit for HNSW
    bytes_per_dim: float
    expression: str  # what is indexed: of the {column}, its {dims} and the {schema} of pgvector
    operator_classes: dict[Similarity, str]


KINDS: dict[Kind, IndexKind] = {
    "vector": IndexKind(
        most_dims=2000,
        bytes_per_dim=4,
        expression="{column}",
        operator_classes={"cosine": "vector_cosine_ops", "dot": "vector_ip_ops", "euclidean": "vector_l2_ops"},
    ),
    "halfvec": IndexKind(
        most_dims=4000,
        bytes_per_dim=2,
        expression="({column}::{schema}.halfvec({dims}))",
        operator_classes={"cosine": "halfvec_cosine_ops", "dot": "halfvec_ip_ops", "euclidean": "halfvec_l2_ops"},
    ),
    "bit": IndexKind(  # the signs of the numbers
        most_dims=64_000,
        bytes_per_dim=1 / 8,
        expression="({schema}.binary_quantize({column})::bit({dims}))",
        operator_classes={"cosine": "bit_hamming_ops"},
    ),
}
