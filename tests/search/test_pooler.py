"""Search by text from clients behind a pooler in transaction mode, while the daemon connects directly."""

from __future__ import annotations

import numpy as np
import psycopg
import pytest

from tests.faults.conftest import pooler_url
from tests.fix_search import FakeEncoder
from tests.search.test_embed import as_array, embed

__all__ = ["pooler_url"]


@pytest.mark.container
@pytest.mark.usefixtures("query_server")
def test_clients_behind_a_pooler(pooler_url: str, encoder: FakeEncoder) -> None:
    for turn in range(6):
        with psycopg.connect(pooler_url, autocommit=True, prepare_threshold=None) as client:
            text = f"text {turn % 3}"
            assert np.array_equal(as_array(embed(client, text)), encoder.vector(text))
