"""From a model's files to an artefact: find, read, load, ask the reference, trace, prove, write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from rowvec.errors import ExportRefused
from rowvec_export import artefact, audit, devices, parity, reference, refusals, sources, sweep, tracing
from rowvec_export import manifest as manifests
from rowvec_export.loading import Loaded, load
from rowvec_export.texts import EDGES, GOLDEN

SMALL = 100_000_000  # parameters
MIN_BF16_COSINE = 0.99  # the daemon's own check of bf16 is stricter


@dataclass(frozen=True, slots=True)
class Exported:
    """An artefact on disk; `created` is False where the same one already lay there."""

    directory: Path
    manifest: dict[str, Any]
    created: bool

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.manifest["name"])

    @property
    def fingerprint(self) -> str:
        """The model's identity, hex sha256."""
        return str(self.manifest["fingerprint"])


def export_model(
    model: str,
    out: Path,
    *,
    name: str | None = None,
    revision: str | None = None,
    pooling: str | None = None,
    max_tokens: int | None = None,
    trust_remote_code: bool = False,
    allow_pickle: bool = False,
    dims: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> Exported:
    """Export MODEL (a folder, a packaged model's name, a hub id) to the folder `out`.

    The same input gives the same fingerprint; where `out` holds it already, nothing is written. `dims` is a
    Matryoshka cut. Raises ExportRefused, in one line, for a model whose numbers cannot be kept or proven.
    """
    say = progress or (lambda _message: None)
    files = sources.find(model, revision=revision, allow_pickle=allow_pickle, trust_remote_code=trust_remote_code)
    say(f"loading {files.id}")
    loaded = load(
        files,
        pooling=pooling,
        max_tokens=max_tokens,
        trust_remote_code=trust_remote_code,
        allow_pickle=allow_pickle,
        dims=dims,
    )
    manifest = manifests.describe(loaded, name=name)
    refusals.check_dims(manifest["dims"], manifest["name"], manifest["matryoshka_dims"])
    existing = artefact.existing(out)
    if existing is not None and existing.fingerprint == manifest["fingerprint"]:
        say(f"{out} holds this model already ({manifest['fingerprint'][:12]})")
        return Exported(out, dict(existing.raw), created=False)

    with _threads(loaded.whole):
        return _prove_and_write(loaded, out, manifest, trust_remote_code, say)


def _prove_and_write(
    loaded: Loaded, out: Path, manifest: dict[str, Any], trust_remote_code: bool, say: Callable[[str], None]
) -> Exported:
    say("asking the reference")
    expected, text_ids = _expectations(loaded, trust_remote_code)
    say(f"tracing ({expected.name} is the reference)")
    vocabulary = loaded.tokens.clean.get_vocab_size()
    traced = tracing.trace(loaded.whole, tracing.example(loaded.config, loaded.tokens.pad_id, vocabulary))
    if left := devices.follow_input(traced.module):
        raise ExportRefused(f"{left} operations of the traced program are bound to the device of the trace.")
    looked = audit.audit(traced.module)
    say("checking the numbers")
    measured = parity.check(traced.module, expected, text_ids, loaded.tokens.pad_id, loaded.tokens.max_tokens)
    golden_ids = loaded.tokens.ids(GOLDEN)
    vectors = parity.run(traced.module, golden_ids, loaded.tokens.pad_id, 1)
    golden = {"texts": list(GOLDEN), "ids": golden_ids, "vectors": [_short(vector) for vector in vectors]}
    with artefact.staged(out) as folder:
        artefact.write_model(folder, traced.module, loaded.tokens.clean)
        say("checking the file in a process of its own")
        swept = _swept(folder, loaded, traced, expected.rows)
        manifest["parity"] = asdict(measured) | {"kernels": swept}
        manifest["graph"] = asdict(looked) | {"warnings": list(traced.unknown_warnings), "linears": traced.linears}
        say(f"writing {out}")
        artefact.write_manifest(folder, manifest, golden)
    return Exported(out, manifest, created=True)


def _expectations(loaded: Loaded, trust_remote_code: bool) -> tuple[parity.Expected, list[list[int]]]:
    """The reference's vectors, and our ids of the same texts; the reference's weights are freed on return."""
    tokens, chain = loaded.tokens, loaded.chain
    texts = [*GOLDEN, *EDGES]
    ids = tokens.ids(texts)
    # Of the texts beyond 512 tokens one is encoded: four of 8,000, each behind three prompts, would take a 560M model
    # an hour on two cores. The ids of all of them have been compared.
    long = [text for text, row in zip(texts, ids, strict=True) if len(row) > parity.MIXED]
    asked = reference.choose(
        loaded.files.folder, chain, tokens, loaded.whole, dims=loaded.dims, trust_remote_code=trust_remote_code
    )
    rows = parity.id_rows(ids, tokens.max_tokens)
    prompts = list(dict.fromkeys(["", *chain.prompts.values()]))
    behind = [
        (prompt, text) for prompt in prompts for text in texts if text not in long or (not prompt and text == long[0])
    ]
    expected = parity.ask(asked, rows, behind, tokens.pad_id, tokens.pads_left)
    return expected, tokens.ids([prompt + text for prompt, text in behind])


def _swept(folder: Path, loaded: Loaded, traced: tracing.Traced, rows: list[list[int]]) -> dict[str, float]:
    """Run the file in a fresh process; raise ExportRefused unless it gives the same ids and vectors there."""
    plan = folder / "plan.pt"
    rows = [row for row in rows if len(row) <= parity.MIXED][::2]
    torch.save(
        {
            "texts": list(GOLDEN),
            "text_ids": loaded.tokens.ids(GOLDEN),
            "rows": rows,
            "vectors": parity.run(traced.module, rows, loaded.tokens.pad_id, 1).clone(),
            "pad_id": loaded.tokens.pad_id,
            "max_tokens": loaded.tokens.max_tokens,
        },
        plan,
    )
    judged = f" The tracer warned: {traced.unknown_warnings[0]}" if traced.unknown_warnings else ""
    try:
        (found,) = sweep.in_fresh_process((folder, plan))
    except RuntimeError as error:
        raise ExportRefused(f"The file fails in a process of its own: {error}.{judged}") from None
    finally:
        plan.unlink()
    return judge(found, judged)


def judge(found: dict[str, Any], tracer: str) -> dict[str, float]:
    """Return the numbers of what `sweep` found; ExportRefused, with the tracer's remark, where they are not right."""
    worst = {key: found[key] for key in ("plain", "threads", "onednn") if key in found}
    bad = [key for key, value in worst.items() if not value <= parity.MAX_ABS]
    if found["imported"] or found["ids"] or bad or not found.get("bf16", 1.0) >= MIN_BF16_COSINE:
        raise ExportRefused(f"In a process of its own the file behaves otherwise: {found}.{tracer}")
    return worst | {key: found[key] for key in ("bf16",) if key in found}


@contextmanager
def _threads(model: torch.nn.Module) -> Iterator[None]:
    """One thread for a small model: the gates run hundreds of short texts, and threads wait for each other.

    On two busy cores all-MiniLM-L6-v2 takes 93 s of CPU with two threads and 19 s with one.
    """
    before = torch.get_num_threads()
    if sum(parameter.numel() for parameter in model.parameters()) < SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _short(vector: torch.Tensor) -> list[float]:
    """Floats that read back as the same float32: 9 digits are enough."""
    return [float(f"{value:.9g}") for value in vector.tolist()]
