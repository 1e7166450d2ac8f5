"""Code that comes with a model: refused, unless asked for; then it goes through the same gates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rowvec.errors import ExportRefused
from rowvec_export.exporter import export_model
from tests.export import tiny

CODE = """
from transformers import BertConfig, BertModel

class OwnConfig(BertConfig):
    model_type = "own_bert"

class OwnModel(BertModel):
    config_class = OwnConfig

    def forward(self, *given, **named):
        output = super().forward(*given, **named)
        output.last_hidden_state = output.last_hidden_state * 2 + 1
        return output
"""


@pytest.mark.usefixtures("quick")
def test_remote_code_runs_only_when_it_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import dynamic_module_utils

    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    folder = tiny.make(tmp_path / "source", "bert", normalize=False)
    config = json.loads((folder / "config.json").read_text())
    own = {"AutoConfig": "own_code.OwnConfig", "AutoModel": "own_code.OwnModel"}
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "own_bert", "auto_map": own}))
    (folder / "own_code.py").write_text(CODE)
    with pytest.raises(ExportRefused, match="--trust-remote-code"):
        export_model(str(folder), tmp_path / "out")
    made = export_model(str(folder), tmp_path / "out", trust_remote_code=True)
    assert made.manifest["architecture"] == "own_bert"
    assert made.manifest["parity"]["reference"].startswith("sentence-transformers")
