"""A drawing of what was made from what: nodes and edges in, places of boxes and curves out.

Layers from the top down, each node below all that it was made from; an edge that passes a layer passes it through a gap
of its own (Sugiyama, Tagawa & Toda 1981), and each layer is ordered by where its neighbours stand, down and up again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

WIDTH, HEIGHT = 188, 46  # of a box
GAP, PASSAGE, LAYER = 20, 4, 84  # between boxes, of an edge passing through, from layer to layer
MARGIN = 2
SWEEPS = 6
LETTERS = 23  # of a label that fit in a box


@dataclass(frozen=True)
class Node:
    """`kind` is one of base, policy, reward, run, snapshot, generation: it says how the box looks."""

    key: str
    kind: str
    label: str
    note: str = ""
    url: str = ""
    is_focus: bool = False


@dataclass(frozen=True)
class Box:
    node: Node
    x: float
    y: float

    @property
    def text_x(self) -> float:
        return self.x + 14

    @property
    def label_y(self) -> float:
        return self.y + 19

    @property
    def note_y(self) -> float:
        return self.y + 36

    @property
    def label(self) -> str:
        return cut(self.node.label, LETTERS)

    @property
    def note(self) -> str:
        return cut(self.node.note, LETTERS + 3)


def cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1].rstrip()}…"


@dataclass(frozen=True)
class Drawing:
    width: float
    height: float
    boxes: list[Box]
    curves: list[str]  # the `d` of a path each


Edges = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Net:
    """Nodes and passages in layers, and what is joined to what in the layers next to theirs."""

    layers: list[list[str]]
    above: dict[str, list[str]]
    below: dict[str, list[str]]


def draw_graph(nodes: Sequence[Node], edges: Edges) -> Drawing:
    """Draw a graph without circles; edges whose ends are not both among the nodes are left out."""
    by_key = {node.key: node for node in nodes}
    inside = [(source, target) for source, target in dict.fromkeys(edges) if {source, target} <= by_key.keys()]
    depth = find_depths(list(by_key), inside)
    chains = [chain(source, target, depth) for source, target in inside]
    net = order(build_net(depth, chains))
    middles = place(net, by_key)
    halves = {key: WIDTH / 2 if key in by_key else PASSAGE / 2 for key in middles}
    left = min((middle - halves[key] for key, middle in middles.items()), default=0.0) - MARGIN
    right = max((middle + halves[key] for key, middle in middles.items()), default=0.0) + MARGIN
    boxes = [
        Box(node, round(middles[key] - WIDTH / 2 - left, 1), MARGIN + LAYER * depth[key])
        for key, node in by_key.items()
    ]
    curves = [curve([middles[key] - left for key in keys], depth[keys[0]]) for keys in chains]
    height = LAYER * max(depth.values(), default=0) + HEIGHT + 2 * MARGIN
    return Drawing(round(right - left, 1), height, boxes, curves)


def find_depths(keys: Sequence[str], edges: Edges) -> dict[str, int]:
    """The longest way to each node; what was made from nothing stands just above the first thing made of it."""
    parents, children = neighbours(edges)
    depth: dict[str, int] = {}
    waiting = {key: len(parents[key]) for key in keys}
    ready = [key for key in keys if not waiting[key]]
    for key in ready:
        depth[key] = max((depth[parent] + 1 for parent in parents[key]), default=0)
        for child in children[key]:
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    found = {key: depth.get(key, 0) for key in keys}
    for key in keys:
        if children[key] and not parents[key]:
            found[key] = max(0, min(found[child] for child in children[key]) - 1)
    return found


def neighbours(edges: Edges) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """What each is joined to above and below."""
    above: dict[str, list[str]] = defaultdict(list)
    below: dict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        above[target].append(source)
        below[source].append(target)
    return above, below


def chain(source: str, target: str, depth: Mapping[str, int]) -> list[str]:
    """The edge's ends with a passage for each layer between them."""
    passages = [f"{source}>{target}@{layer}" for layer in range(depth[source] + 1, depth[target])]
    return [source, *passages, target]


def build_net(depth: Mapping[str, int], chains: Sequence[Sequence[str]]) -> Net:
    layers: list[list[str]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
    for key, layer in depth.items():
        layers[layer].append(key)
    for keys in chains:
        for step, key in enumerate(keys[1:-1], start=1):
            layers[depth[keys[0]] + step].append(key)
    return Net(layers, *neighbours([step for keys in chains for step in pairwise(keys)]))


def order(net: Net) -> Net:
    """Each layer by where its neighbours stand on average, sweep by sweep down and up."""
    layers = [list(layer) for layer in net.layers]
    for sweep in range(SWEEPS):
        joined = net.above if sweep % 2 == 0 else net.below
        stand = {key: place / len(layer) for layer in layers for place, key in enumerate(layer)}
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            layer.sort(key=lambda key: mean_of(joined[key], stand, stand[key]))
            stand.update((key, place / len(layer)) for place, key in enumerate(layer))
    return Net(layers, net.above, net.below)


def mean_of(keys: Sequence[str], values: Mapping[str, float], otherwise: float) -> float:
    return sum(values[key] for key in keys) / len(keys) if keys else otherwise


def place(net: Net, boxes: Mapping[str, Node]) -> dict[str, float]:
    """The middle of everything: as near to its neighbours as its own layer lets it."""
    middles = {key: 0.0 for layer in net.layers for key in layer}
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for layer in net.layers if down else reversed(net.layers):
            wanted = [mean_of((net.above if down else net.below)[key], middles, middles[key]) for key in layer]
            middles.update(zip(layer, keep_apart(wanted, [key in boxes for key in layer]), strict=True))
    return middles


def keep_apart(wanted: Sequence[float], are_boxes: Sequence[bool]) -> list[float]:
    """Places in order, none nearer to the next than it may be, on average where they want to be."""
    found: list[float] = []
    halves = [WIDTH / 2 if is_box else PASSAGE / 2 for is_box in are_boxes]
    for number, one in enumerate(wanted):
        least = found[-1] + halves[number - 1] + halves[number] + GAP if found else one
        found.append(max(one, least))
    shift = sum(found) / len(found) - sum(wanted) / len(wanted) if found else 0.0
    return [one - shift for one in found]


def curve(middles: Sequence[float], first: int) -> str:
    """From under the first box, through the passages, to the top of the last."""
    top = MARGIN + LAYER * first + HEIGHT
    parts = [f"M{middles[0]:.1f} {top}"]
    for step, (start, end) in enumerate(pairwise(middles)):
        above, below = top + LAYER * step, top + LAYER * (step + 1) - HEIGHT
        half = (above + below) / 2
        parts.append(f"C{start:.1f} {half} {end:.1f} {half} {end:.1f} {below}")
        if step < len(middles) - 2:
            parts.append(f"V{below + HEIGHT}")
    return "".join(parts)
