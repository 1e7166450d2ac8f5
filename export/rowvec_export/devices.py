"""Make a traced graph follow its input's device: a trace writes the device that it ran on into the graph as a constant.

`map_location` and `.to()` leave such constants (masks are made by `arange` on "cpu", which fails on a GPU). Each is
replaced by `prim::device(input)`, so that any loader (Python, C++, Rust) may move the file to any device as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch


def graphs(module: torch.jit.ScriptModule) -> Iterator[Any]:
    """The graph of every method of the module and of its sub-modules."""
    for inner in [module, *(child for name, child in module.named_modules() if name)]:
        for name in inner._c._method_names():
            yield inner._c._get_method(name).graph


def device_constants(module: torch.jit.ScriptModule) -> list[str]:
    """The devices that stand in the graphs as constants; empty once `follow_input` has run."""
    return [
        node.s("value")
        for graph in graphs(module)
        for node in graph.findAllNodes("prim::Constant", True)
        if str(node.output().type()) == "Device"
    ]


def follow_input(module: torch.jit.ScriptModule) -> int:
    """Replace every device constant by the device of the graph's first tensor input; return how many were left.

    A graph without a tensor input keeps its constant; no architecture of docs/reference/models.md has one.
    """
    left = 0
    for graph in graphs(module):
        constants = [
            node
            for node in graph.findAllNodes("prim::Constant", True)
            if str(node.output().type()) == "Device" and node.output().uses()
        ]
        if not constants:
            continue
        tensor = next((value for value in graph.inputs() if str(value.type()) == "Tensor"), None)
        if tensor is None:
            left += len(constants)
            continue
        device = graph.create("prim::device", [tensor], 1)
        device.output().setType(torch._C.DeviceObjType.get())
        graph.prependNode(device)
        for node in constants:
            node.output().replaceAllUsesWith(device.output())
            node.destroy()
        graph.lint()
    return left
