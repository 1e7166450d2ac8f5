"""The measurement itself: it runs, counts what it says, and leaves out what is not installed."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from rowvec.bench import encode, plot
from rowvec.bench.corpora import corpora
from tests.artefacts import tiny_artefact

pytestmark = pytest.mark.slow


def test_the_corpora_are_the_same_at_every_call_and_what_their_names_say() -> None:
    first, again = corpora(0.1), corpora(0.1)
    assert first == again
    size = {corpus.name: np.median([len(text) for text in corpus.texts]) for corpus in first}
    assert size["short"] < size["mixed"] < size["long"]
    assert [corpus.alone for corpus in first] == [False, False, False, True]


def test_a_run_without_peers_reports_speed_and_the_machine_s_limit(tmp_path: Path) -> None:
    artefact = tiny_artefact(tmp_path / "tiny")
    steps = list[str]()
    report = encode.run(
        artefact, threads=1, rounds=1, scale=0.02, engines=["rowvec fp32", "no such engine"], progress=steps.append
    )
    assert list(report.skipped) == ["no such engine"]
    assert [result.corpus for result in report.results] == ["short", "mixed", "long", "alone"]
    assert report.gemm_gflops["fp32"] is not None
    for result in report.results:
        assert len(result.rounds) == 1
        assert result.seconds > 0
        assert (result.of_gemm or 0) > 0
        assert result.ratio is None  # nothing to compare with
    assert json.loads(json.dumps(report.as_dict()))["model"]["name"] == "tiny-0"
    assert len(steps) == 2


def test_the_picture_has_a_bar_for_each_engine_that_was_compared() -> None:
    report = {
        "machine": {"cpu": "a <fast> CPU", "threads": 2},
        "model": {"name": "tiny"},
        "corpora": [{"name": "short", "median_tokens": 12}],
        "results": [
            {"engine": "sentence-transformers", "corpus": "short", "ratio": 1.0},
            {"engine": "rowvec fp32", "corpus": "short", "ratio": 3.0},
            {"engine": "rowvec bf16", "corpus": "short", "ratio": None},
        ],
    }
    picture = ET.fromstring(plot.encode(report))
    bars = picture.findall("{http://www.w3.org/2000/svg}rect")[1:]
    assert [round(float(bar.attrib["width"]) / float(bars[0].attrib["width"]), 1) for bar in bars] == [1.0, 3.0]
