"""What the API answers. Written by `manage.py write_client_shapes`; do not edit."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class Ablation(TypedDict):
    id: int
    name: str
    snapshot: int
    base_model: int
    created_by: Person
    created_at: str
    variants: list[Variant]


class AblationRow(TypedDict):
    id: int
    name: str
    snapshot: int
    base_model: int
    created_by: Person
    created_at: str


class AblationRowPage(TypedDict):
    results: list[AblationRow]
    next: str | None


class Agreed(TypedDict):
    was_right: bool | None
    answer: str
    explanation: str


class Agreement(TypedDict):
    tasks: int
    answers: int
    observed: float
    alpha: float | None


class Ahead(TypedDict):
    lease: Lease | None


class Alarm(TypedDict):
    id: int
    run: int | None
    round: int | None
    kind: str
    severity: Literal["warning", "stop"]
    message: str
    remedy: str
    facts: Any
    raised_at: str
    acknowledged_at: str | None
    acknowledged_by: Person | None
    note: str


class AlarmMail(TypedDict):
    wanted: bool


class AlarmPage(TypedDict):
    results: list[Alarm]
    next: str | None


class Algorithm(TypedDict):
    name: str
    title: str
    makes: str
    starts_from: list[str]
    scores: bool
    settings: list[Setting]


class Algorithms(TypedDict):
    algorithms: list[Algorithm]


class AuditEvent(TypedDict):
    id: int
    actor: Person | None
    action: str
    target: str
    data: Any
    created_at: str


class AuditEventPage(TypedDict):
    results: list[AuditEvent]
    next: str | None


class Author(TypedDict):
    id: int
    kind: Literal["model", "person", "file", "remote"]
    name: str


class Background(TypedDict):
    consented_at: str | None
    questions: list[OwnQuestion]


class Budget(TypedDict):
    a_day: str | None
    a_month: str | None
    spent_today: str
    spent_this_month: str


class Chat(TypedDict):
    id: int
    created_at: str
    ended_at: str | None
    turns: list[Turn]


class ChatRow(TypedDict):
    id: int
    messages: int
    created_at: str
    ended_at: str | None


class ChatRowPage(TypedDict):
    results: list[ChatRow]
    next: str | None


class ChosenPair(TypedDict):
    prompt: int
    responses: list[int]
    strategy: Literal["random", "uncertain", "information", "contrast"]
    reason: str
    value: float | None
    chance: float | None


class ChosenPairs(TypedDict):
    pairs: list[ChosenPair]
    scored: int | None
    total: int | None


class Comment(TypedDict):
    id: int
    judgement: int
    author: Person
    body: str
    asks_correction: bool
    resolved_at: str | None
    seen_at: str | None
    created_at: str


class CommentPage(TypedDict):
    results: list[Comment]
    next: str | None


class DayCount(TypedDict):
    day: str
    count: int


class Decided(TypedDict):
    judgement: int


class Delivery(TypedDict):
    id: int
    webhook: int
    event: str
    body: str
    attempts: int
    status_code: int | None
    answer: str
    created_at: str
    delivered_at: str | None
    next_at: str | None


class DeliveryPage(TypedDict):
    results: list[Delivery]
    next: str | None


class Disagreement(TypedDict):
    task: int
    kind: Literal["comparison", "ranking", "rating", "demonstration", "edit", "spans", "chat"]
    answers: int
    distance: float


class DisagreementPage(TypedDict):
    results: list[Disagreement]
    next: str | None


class Draft(TypedDict):
    answer: dict[str, Any]
    rationale: str
    flags: dict[str, list[str]]
    active_seconds: float | None
    updated_at: str | None


class Endpoint(TypedDict):
    id: int
    name: str
    model: int
    base_url: str
    remote_name: str
    protocol: Literal["chat", "text"]
    key_ends: str
    price_in: str
    price_out: str
    requests_per_minute: int
    tokens_per_minute: int | None
    at_once: int
    timeout: int
    max_retries: int
    removed_at: str | None
    created_by: Person
    created_at: str
    requests: int
    tokens_in: int
    tokens_out: int
    cost: str
    cost_this_month: str


class EndpointDay(TypedDict):
    id: int
    day: str
    requests: int
    tokens_in: int
    tokens_out: int
    cost: str


class EndpointDayPage(TypedDict):
    results: list[EndpointDay]
    next: str | None


class EndpointPage(TypedDict):
    results: list[Endpoint]
    next: str | None


class Evaluation(TypedDict):
    id: int
    status: Literal["draft", "queued", "running", "succeeded", "failed", "cancelled"]
    progress: int
    total: int
    error: str
    created_by: Person
    created_at: str
    started_at: str | None
    finished_at: str | None
    candidate: int
    baseline: int
    by: Literal["rewards", "people"]
    judge: int | None
    round: int | None
    win_rate: float | None
    low: float | None
    high: float | None
    count: int
    decision: Literal["better", "worse", "equivalent", "undecided"] | Literal[""]


class EvaluationPage(TypedDict):
    results: list[Evaluation]
    next: str | None


class Flag(TypedDict):
    name: str
    reason: str


class Game(TypedDict):
    judgement: int
    task: int
    prompt: int
    response: int
    against: int
    other: int
    points: float
    weight: float


class GamePage(TypedDict):
    results: list[Game]
    next: str | None


class Generation(TypedDict):
    id: int
    status: Literal["draft", "queued", "running", "succeeded", "failed", "cancelled"]
    progress: int
    total: int
    error: str
    created_by: Person
    created_at: str
    started_at: str | None
    finished_at: str | None
    model: int
    opponent: int | None
    responses_per_prompt: int
    temperature: float
    top_p: float
    max_tokens: int
    seed: int
    queue_tasks: bool
    overlap: int
    best_of: int
    reward_model: int | None
    tokens_written: int
    tasks_queued: int
    pairs_dropped: int


class GenerationPage(TypedDict):
    results: list[Generation]
    next: str | None


class Guideline(TypedDict):
    id: int
    version: int
    body: str
    created_at: str


class GuidelinePage(TypedDict):
    results: list[Guideline]
    next: str | None


class Held(TypedDict):
    held: bool
    expires_at: str


class Import(TypedDict):
    id: int
    status: Literal["draft", "queued", "running", "succeeded", "failed", "cancelled"]
    progress: int
    total: int
    error: str
    created_by: Person
    created_at: str
    started_at: str | None
    finished_at: str | None
    contents: Literal[
        "prompts",
        "pairs",
        "hh",
        "trl-unpaired",
        "ultrafeedback",
        "ultrafeedback-binarized",
        "helpsteer2",
        "helpsteer2-preference",
        "oasst-trees",
        "arena",
        "arena-lists",
        "mt-bench-answers",
        "mt-bench-verdicts",
        "pandalm",
        "squality",
        "argilla",
        "label-studio",
        "self-instruct",
        "alpaca",
        "sharegpt",
        "lossless",
        "mapped",
    ]
    format: Literal["jsonl", "json", "csv", "parquet", "text"]
    filename: str
    options: dict[str, Any]
    rows_read: int
    rows_added: int
    rows_known: int
    rows_refused: int


class ImportPage(TypedDict):
    results: list[Import]
    next: str | None


class Interval(TypedDict):
    value: float
    low: float
    high: float


class Invitation(TypedDict):
    id: int
    email: str
    role: Literal["owner", "reviewer", "annotator"]
    created_at: str
    expires_at: str


class InvitationLink(TypedDict):
    email: str
    link: str


class InvitationPage(TypedDict):
    results: list[Invitation]
    next: str | None


class Judged(TypedDict):
    judgement: int
    agreed: Agreed | None
    next: NextTask | None


class Judgement(TypedDict):
    id: int
    task: int
    kind: Literal["comparison", "ranking", "rating", "demonstration", "edit", "spans", "chat"]
    annotator: Person | None
    external_annotator: str
    guideline: NotRequired[int | None]
    outcome: Literal["answer", "skip", "undone"]
    skip_reason: str
    rationale: str
    flags: Any
    active_seconds: float | None
    supersedes: int | None
    is_current: bool
    is_adjudication: bool
    is_surplus: bool
    answer: dict[str, Any] | None
    created_at: str


class JudgementPage(TypedDict):
    results: list[Judgement]
    next: str | None


class KindCount(TypedDict):
    kind: str
    count: int


class KnownTask(TypedDict):
    task: int
    kind: Literal["comparison", "ranking", "rating", "demonstration", "edit", "spans", "chat"]
    purpose: Literal["work", "gold", "mirror", "practice", "qualification"]
    explanation: str
    said: int
    right: int
    closed_at: str | None


class KnownTaskPage(TypedDict):
    results: list[KnownTask]
    next: str | None


class Leaderboard(TypedDict):
    leagues: list[League]
    with_itself: int
    is_cut: bool
    judge: int | None
    agreement: Share | None
    scored: int
    pairs: int


class League(TypedDict):
    lines: list[Line]
    style_weights: list[StyleWeight]
    comparisons: int
    is_held: bool


class Lease(TypedDict):
    id: int
    kind: Literal["comparison", "ranking", "rating", "demonstration", "edit", "spans", "chat"]
    expires_at: str
    prompt: ShownPrompt
    responses: list[Shown]
    asks: dict[str, Any]


class Line(TypedDict):
    author: int
    name: str
    rank: int
    score: Interval
    controlled: Interval | None
    win_rate: WinRate
    rewarded: WinRate | None
    same: WinRate | None


class Lineage(TypedDict):
    nodes: list[Node]


class LiveAnswer(TypedDict):
    letter: str
    attempt: int
    state: Literal["queued", "writing", "done", "cut", "stopped", "silent", "late", "empty", "failed"]
    text: str
    is_final: bool
    may_retry: bool


class Me(TypedDict):
    user: Person
    memberships: list[OwnMembership]
    token: TokenFacts | None


class Member(TypedDict):
    id: int
    user: Person
    role: Literal["owner", "reviewer", "annotator"]
    guideline_read: int
    qualified_at: str | None
    paused_at: str | None
    pause_reason: str
    created_at: str


class MemberPage(TypedDict):
    results: list[Member]
    next: str | None


class Message(TypedDict):
    role: Literal["user", "assistant"]
    content: str


class MessageThread(TypedDict):
    comment: int
    judgement: int
    task: int
    body: str
    asks_correction: bool
    created_at: str
    is_yours: bool
    is_unread: bool


class MessageThreadPage(TypedDict):
    results: list[MessageThread]
    next: str | None


class Model(TypedDict):
    id: int
    kind: Literal["policy", "reward", "backbone", "endpoint"]
    name: str
    origin: str
    parent: int | None
    run: int | None
    file_hashes: Any
    metrics: Any
    is_default: bool
    created_by: Person
    created_at: str


class ModelPage(TypedDict):
    results: list[Model]
    next: str | None


class NextTask(TypedDict):
    lease: Lease | None
    stage: Literal["practice", "qualification", "failed", "work", "paused"] | None
    unread_guideline: int | None


class Node(TypedDict):
    key: str
    kind: str
    name: str
    note: str
    sources: list[str]


class OptionCount(TypedDict):
    option: str
    count: int | None


class Overview(TypedDict):
    totals: Totals
    days: list[DayCount]
    agreement: Agreement | None
    side_bias: Share | None
    people: list[PersonFigures]
    counted_at: str | None


class OwnComment(TypedDict):
    id: int
    is_yours: bool
    body: str
    asks_correction: bool
    resolved_at: str | None
    created_at: str


class OwnCommentPage(TypedDict):
    results: list[OwnComment]
    next: str | None


class OwnDay(TypedDict):
    day: str
    count: int
    active_seconds: float


class OwnJudgement(TypedDict):
    id: int
    lease: int
    kind: Literal["comparison", "ranking", "rating", "demonstration", "edit", "spans", "chat"]
    outcome: Literal["answer", "skip", "undone"]
    said: str
    rationale: str
    created_at: str


class OwnJudgementPage(TypedDict):
    results: list[OwnJudgement]
    next: str | None


class OwnMembership(TypedDict):
    project: int
    project_name: str
    role: Literal["owner", "reviewer", "annotator"]


class OwnQuestion(TypedDict):
    id: int
    question: str
    options: list[str]
    answer: str | None


class OwnStatistics(TypedDict):
    answers: int
    skips: int
    corrections: int
    active_seconds: float
    seconds_each: float | None
    by_kind: list[KindCount]
    days: list[OwnDay]
    agreement: Share | None


class Person(TypedDict):
    id: int
    name: str
    email: str
    is_service: bool


class PersonFigures(TypedDict):
    name: str
    answers: int
    skips: int
    median_seconds: float | None
    last_at: str
    left: Share | None


class PersonQuality(TypedDict):
    member: int
    user: Person
    answers: int
    median_seconds: float | None
    timed: int
    quick: int
    gold: int
    gold_right: int
    repeats: int
    repeats_same: int
    shared: int
    shared_same: int
    flags: list[Flag]


class Policy(TypedDict):
    id: int
    model: int
    reason: str
    round: int | None
    set_by: Person | None
    set_at: str
    is_current: bool


class PolicyPage(TypedDict):
    results: list[Policy]
    next: str | None


class Preview(TypedDict):
    columns: list[str]
    recognised: str
    problem: str
    is_complete: bool
    new: int
    known: int
    rows: list[PreviewRow]
    refused: list[PreviewRefused]


class PreviewRefused(TypedDict):
    row: int
    reason: str


class PreviewResponse(TypedDict):
    author: str
    text: str


class PreviewRow(TypedDict):
    row: int
    prompt: str
    responses: list[PreviewResponse]
    said: list[Said]
    is_known: bool


class Problem(TypedDict):
    type: str
    title: str
    status: int
    detail: str
    errors: NotRequired[list[ProblemField]]


class ProblemField(TypedDict):
    field: str
    message: str


class Progress(TypedDict):
    today: int
    total: int
    waiting: str


class Project(TypedDict):
    id: int
    name: str
    description: str
    scale_points: Literal[2, 4, 5, 7, 8]
    allow_tie: bool
    allow_both_bad: bool
    dimensions: list[str]
    rationale: Literal["off", "optional", "required"]
    flag_options: list[str]
    overlap: int
    lease_minutes: int
    allow_skip: bool
    created_at: str
    archived_at: str | None


class ProjectPage(TypedDict):
    results: list[Project]
    next: str | None


class ProjectSettings(TypedDict):
    name: str
    description: str
    scale_points: Literal[2, 4, 5, 7, 8]
    allow_tie: bool
    allow_both_bad: bool
    dimensions: list[str]
    rationale: Literal["off", "optional", "required"]
    flag_options: list[str]
    overlap: int
    lease_minutes: int
    allow_skip: bool
    must_read_guidelines: bool
    qualification_pass: float
    gold_rate: float
    gold_warn_below: float
    gold_pause_below: float
    mirror_rate: float
    show_agreed_answers: bool
    reading_warning: bool
    show_own_agreement: bool
    kind_options: Any


class Prompt(TypedDict):
    id: int
    messages: list[Message]
    system: str
    tags: list[str]
    source: str
    external_id: str
    content_hash: str
    response_count: int
    created_at: str


class PromptPage(TypedDict):
    results: list[Prompt]
    next: str | None


class Quality(TypedDict):
    people: list[PersonQuality]


class Question(TypedDict):
    id: int
    question: str
    options: list[str]
    is_active: bool
    counts: list[OptionCount]


class QuestionPage(TypedDict):
    results: list[Question]
    next: str | None


class Queued(TypedDict):
    queued: int


class Reason(TypedDict):
    task: int
    strategy: str
    reason: str
    value: float | None
    chance: float | None
    model: int | None
    facts: dict[str, Any]
    created_at: str


class ReasonPage(TypedDict):
    results: list[Reason]
    next: str | None


class Recipe(TypedDict):
    id: int
    name: str
    plan: dict[str, Any]
    trigger: Literal["hand", "hours", "times", "judgements"]
    every_hours: int
    times: str
    enough_judgements: int
    next_at: str | None
    created_by: Person
    created_at: str


class RecipePage(TypedDict):
    results: list[Recipe]
    next: str | None


class RefusedRow(TypedDict):
    id: int
    row: int
    reason: str
    raw: str


class RefusedRowPage(TypedDict):
    results: list[RefusedRow]
    next: str | None


class Report(TypedDict):
    id: int
    status: Literal["draft", "queued", "running", "succeeded", "failed", "cancelled"]
    progress: int
    total: int
    error: str
    created_by: Person
    created_at: str
    started_at: str | None
    finished_at: str | None
    model: int
    snapshot: int
    figures: dict[str, Any]


class ReportPage(TypedDict):
    results: list[Report]
    next: str | None


class Response(TypedDict):
    id: int
    prompt: int
    author: Author
    key: str
    text: str
    sampling: Any
    seed: int | None
    token_count: int | None
    finish_reason: Literal["stop", "length"] | Literal[""]
    created_at: str


class ResponsePage(TypedDict):
    results: list[Response]
    next: str | None


class Reward(TypedDict):
    model: int
    weight: float
    is_held_out: bool


class Round(TypedDict):
    id: int
    number: int
    recipe: int
    status: Literal["running", "stopped", "succeeded", "cancelled"]
    because: str
    started_by: Person | None
    policy_before: int
    new_judgements: int
    decision: Literal["taken", "kept"] | Literal[""]
    decision_reason: str
    steps: list[RoundStep]
    started_at: str
    finished_at: str | None


class RoundPage(TypedDict):
    results: list[Round]
    next: str | None


class RoundStep(TypedDict):
    kind: Literal["snapshot", "sft", "reward_model", "heldout_reward_model", "policy", "evaluate", "respond", "queue"]
    status: Literal["pending", "running", "succeeded", "failed", "skipped"]
    error: str
    snapshot: int | None
    run: int | None
    generation: int | None
    started_at: str | None
    finished_at: str | None


class Run(TypedDict):
    id: int
    status: Literal["draft", "queued", "running", "succeeded", "failed", "cancelled"]
    progress: int
    total: int
    error: str
    created_by: Person
    created_at: str
    started_at: str | None
    finished_at: str | None
    name: str
    algorithm: str
    config: dict[str, Any]
    snapshot: int
    base_model: int
    rewards: list[Reward]
    output: NotRequired[int | None]
    seconds_left: float | None
    metrics: dict[str, Any]
    facts: dict[str, Any]


class RunEvent(TypedDict):
    id: int
    kind: str
    step: int
    data: Any
    created_at: str


class RunEventPage(TypedDict):
    results: list[RunEvent]
    next: str | None


class RunPage(TypedDict):
    results: list[Run]
    next: str | None


class Said(TypedDict):
    annotator: str
    said: str


class Scoring(TypedDict):
    id: int
    status: Literal["draft", "queued", "running", "succeeded", "failed", "cancelled"]
    progress: int
    total: int
    error: str
    created_by: Person
    created_at: str
    started_at: str | None
    finished_at: str | None
    model: int


class ScoringPage(TypedDict):
    results: list[Scoring]
    next: str | None


class Setting(TypedDict):
    name: str
    title: str
    help: str
    default: Any
    min: float | None
    max: float | None
    choices: list[str] | None


class Share(TypedDict):
    part: int
    whole: int
    value: float
    low: float
    high: float


class Shown(TypedDict):
    letter: str
    text: str


class ShownPrompt(TypedDict):
    system: str
    messages: list[Message]


class Snapshot(TypedDict):
    id: int
    status: Literal["draft", "queued", "running", "succeeded", "failed", "cancelled"]
    progress: int
    total: int
    error: str
    created_by: Person
    created_at: str
    started_at: str | None
    finished_at: str | None
    name: str
    filters: dict[str, Any]
    test_fraction: float
    split_seed: int
    content_hash: str
    train_count: int
    test_count: int


class SnapshotFile(TypedDict):
    id: int
    status: Literal["draft", "queued", "running", "succeeded", "failed", "cancelled"]
    progress: int
    total: int
    error: str
    created_by: Person
    created_at: str
    started_at: str | None
    finished_at: str | None
    form: str
    split: str
    format: str
    size: int


class SnapshotPage(TypedDict):
    results: list[Snapshot]
    next: str | None


class Standing(TypedDict):
    stage: Literal["practice", "qualification", "failed", "work", "paused"]
    done: int
    whole: int
    right: int
    warns: bool
    paused_at: str | None
    pause_reason: str


class Started(TypedDict):
    changed: bool


class StoredPrompt(TypedDict):
    id: int | None
    is_new: bool
    refused: str


class StoredPrompts(TypedDict):
    prompts: list[StoredPrompt]


class StoredResponse(TypedDict):
    id: int
    is_new: bool


class StoredResponses(TypedDict):
    responses: list[StoredResponse]


class StyleWeight(TypedDict):
    feature: str
    preferred: Interval


class Task(TypedDict):
    id: int
    kind: Literal["comparison", "ranking", "rating", "demonstration", "edit", "spans", "chat"]
    purpose: Literal["work", "gold", "mirror", "practice", "qualification"]
    prompt: int
    responses: list[int]
    key: str
    priority: int
    required_judgements: int
    remaining: int
    held: int
    answered: int
    state: str
    closed_at: str | None
    created_at: str


class TaskPage(TypedDict):
    results: list[Task]
    next: str | None


class TimeStatement(TypedDict):
    month: str
    time_zone: str
    days: list[WorkDay]


class TokenFacts(TypedDict):
    name: str
    scopes: list[Literal["read", "judge", "write", "train", "admin"]]
    project: int | None
    expires_at: str


class Totals(TypedDict):
    prompts: int
    responses: int
    tasks_open: int
    tasks_done: int
    tasks_closed: int
    places: int
    places_free: int
    judgements: int
    imported: int
    active_people: int
    median_seconds: float | None


class Trial(TypedDict):
    worked: bool
    message: str


class Turn(TypedDict):
    id: int
    chat: int
    number: int
    message: str
    answers: list[LiveAnswer]
    chosen: str
    by_lot: bool
    said: str
    lease: int | None
    asked: int


class Undone(TypedDict):
    reopened: bool


class Variant(TypedDict):
    variant: str
    run: int
    status: str
    accuracy: Interval | None
    difference: Interval | None
    verdict: str


class Webhook(TypedDict):
    id: int
    url: str
    events: list[Literal["alarm.raised"]]
    is_active: bool
    created_at: str


class WebhookPage(TypedDict):
    results: list[Webhook]
    next: str | None


class WebhookSecret(TypedDict):
    id: int
    url: str
    events: list[Literal["alarm.raised"]]
    is_active: bool
    created_at: str
    secret: str


class WinRate(TypedDict):
    value: float
    low: float
    high: float
    points: float
    count: int


class WorkDay(TypedDict):
    day: str
    person: str
    email: str
    answers: int
    skips: int
    active_seconds: float
    active_hours: float
