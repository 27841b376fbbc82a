"""What was made from what in a project: base models, judgements, runs, models, responses, and judgements again."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import CharField, F, Func, Q, Value

from annotate.models import Project, Snapshot, TaskResponse
from training.addresses import generation_url, model_url, run_url, snapshot_url
from training.graphs import Node
from training.models import Generation, ModelVersion, RoundStep, Run

NEWEST = 60  # runs and generations of a project that are looked at
LARGEST = 50_000  # judgements of a snapshot whose responses are followed back


@dataclass
class Lineage:
    """Nodes by key and edges from what was used to what it became."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)

    def add(self, node: Node, *sources: str) -> None:
        self.nodes.setdefault(node.key, node)
        self.edges += [(source, node.key) for source in sources]

    def around(self, key: str) -> Lineage:
        """What this was made from, and what was made of it."""
        kept = reach(key, self.edges) | reach(key, [(target, source) for source, target in self.edges])
        edges = [(source, target) for source, target in self.edges if source in kept and target in kept]
        return Lineage({name: node for name, node in self.nodes.items() if name in kept}, edges)

    def lines(self) -> list[tuple[Node, list[Node]]]:
        """Each node after what it was made from, with those."""
        sources = defaultdict(list)
        for source, target in dict.fromkeys(self.edges):
            if source in self.nodes:
                sources[target].append(self.nodes[source])
        return [(node, sources[key]) for key, node in self.nodes.items()]


def reach(start: str, edges: Iterable[tuple[str, str]]) -> set[str]:
    """The start and all that can be reached from it."""
    following = defaultdict(list)
    for source, target in edges:
        following[source].append(target)
    found, waiting = {start}, deque([start])
    while waiting:
        fresh = [key for key in following[waiting.popleft()] if key not in found]
        found.update(fresh)
        waiting.extend(fresh)
    return found


def trace_project(project: Project, *, focus: ModelVersion | None = None) -> Lineage:
    """The newest runs and generations of a project with all they were made from; about a model alone, with `focus`.

    Seven statements, however many there are.
    """
    runs = Run.objects.of_project(project).select_related("snapshot", "base_model", "output")
    runs = runs.filter(ablation_variant=None) if focus is None else runs  # variants of a question, not steps of the way
    made = list(runs.prefetch_related("rewards__model").order_by("-pk")[:NEWEST])
    asked = list(Generation.objects.of_project(project).select_related("model").order_by("-pk")[:NEWEST])
    rounds = dict(RoundStep.objects.filter(run__in=made).values_list("run", "round__number"))
    written = find_writers([run.snapshot for run in made])
    found = Lineage()
    events: list[Run | Generation] = sorted([*made, *asked], key=lambda one: one.created_at)
    for event in events:
        if isinstance(event, Run):
            add_run(found, event, written.get(event.snapshot_id, ()), rounds.get(event.pk))
        else:
            source = add_model(found, event.model)
            found.add(describe_generation(event), source)
    if focus is not None:
        add_model(found, focus)
        found = found.around(f"model-{focus.pk}")
        found.nodes[f"model-{focus.pk}"] = describe_model_node(focus, is_focus=True)
    return found


def add_run(found: Lineage, run: Run, writers: Sequence[int], number: int | None) -> None:
    generations = [f"generation-{pk}" for pk in writers]
    found.add(describe_snapshot_node(run.snapshot), *[key for key in generations if key in found.nodes])
    sources = [add_model(found, run.base_model), f"snapshot-{run.snapshot_id}"]
    sources += [add_model(found, reward.model) for reward in run.rewards.all()]
    note = f"run: {run.get_algorithm_display()}"
    found.add(
        Node(f"run-{run.pk}", "run", run.name, f"{note}, round {number}" if number else note, run_url(run)), *sources
    )
    output = getattr(run, "output", None)
    if output is not None:
        found.add(describe_model_node(output), f"run-{run.pk}")


def add_model(found: Lineage, model: ModelVersion) -> str:
    found.add(describe_model_node(model))
    return f"model-{model.pk}"


def describe_model_node(model: ModelVersion, *, is_focus: bool = False) -> Node:
    kind = "base" if model.origin else model.kind
    is_base = model.origin and model.kind != ModelVersion.Kind.ENDPOINT
    note = f"{'base ' if is_base else ''}{model.get_kind_display().lower()}"
    if (accuracy := model.metrics.get("accuracy")) is not None:
        note += f", {100 * accuracy:.0f} % right"
    return Node(f"model-{model.pk}", kind, model.name, note, model_url(model), is_focus)


def describe_snapshot_node(snapshot: Snapshot) -> Node:
    count = snapshot.train_count + snapshot.test_count
    return Node(f"snapshot-{snapshot.pk}", "snapshot", snapshot.name, f"{count:,} judgements", snapshot_url(snapshot))


def describe_generation(generation: Generation) -> Node:
    note = f"{generation.progress:,} responses"
    if generation.tasks_queued:
        note += f", {generation.tasks_queued:,} pairs"
    name = f"Generation {generation.pk}"
    return Node(f"generation-{generation.pk}", "generation", name, note, generation_url(generation))


def find_writers(snapshots: Iterable[Snapshot]) -> Mapping[int, Sequence[int]]:
    """{snapshot id: generations whose responses its judgements are about}, told by the responses' keys.

    Snapshots of more than LARGEST judgements are not followed back.
    """
    small = {one.pk for one in snapshots if one.train_count + one.test_count <= LARGEST}
    path = "task__judgements__snapshot_items__snapshot"
    places = TaskResponse.objects.filter(Q(**{f"{path}__in": small}), response__key__regex=r"^g\d+:")
    origin = Func(F("response__key"), Value(":"), Value(1), function="split_part", output_field=CharField())
    found: dict[int, list[int]] = defaultdict(list)
    for snapshot, name in places.annotate(origin=origin).order_by().values_list(path, "origin").distinct():
        if snapshot in small:
            found[snapshot].append(int(name[1:]))
    return found
