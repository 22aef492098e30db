"""The documents of the API, for whoever asks it. Made by scripts/contract; not to be edited."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class Accepted(TypedDict):
    """It will be done; a higher revision tells when."""

    accepted: bool
    revision: int


class ActionChange(TypedDict):
    """What has become of an action."""

    id: str
    state: Literal["applied", "applying", "failed", "proposed", "rejected", "undone"]
    path: str


class Answer(TypedDict):
    """A whole answer. `answer` carries `[n]` markers; `citations` are those that it cites."""

    question: str
    answer: str
    found: bool
    sentences: list[AnswerSentence]
    citations: list[CitedPassage]
    generator: GeneratorName
    stages: list[str]
    warnings: list[str]
    revision: int
    took_ms: float
    narrowed: list[str]
    asked: str
    template: str
    usage: Usage | None
    nearest: list[CitedPassage]
    receipt: Receipt | None


class AnswerSentence(TypedDict):
    """One sentence, the citations it rests on, and whether a cited passage supports it."""

    text: str
    citations: list[int]
    supported: bool


class AnsweringModel(TypedDict):
    """The model that answers. execution_provider: null while it is not loaded."""

    name: str
    fingerprint: str
    dimensions: int
    spec: str
    execution_provider: str | None
    location: Literal["embedded", "local", "remote"]
    precision: str | None
    warning: str | None
    texts_split: int
    search: Literal["approximate", "exact"]
    next: NextModel | None


class Ask(TypedDict):
    """What is asked, and of which notes."""

    path: NotRequired[str | None]
    tag: NotRequired[list[str] | str | None]
    property: NotRequired[list[str] | str | None]
    since: NotRequired[str | None]
    before: NotRequired[str | None]
    question: str
    limit: NotRequired[int | None]
    selection: NotRequired[str | None]
    note: NotRequired[str | None]
    history: NotRequired[list[Turn] | None]
    budget_s: NotRequired[float | None]
    as_asked: NotRequired[bool | None]
    memory: NotRequired[bool | None]
    conversation: NotRequired[str | None]
    client: NotRequired[str | None]
    stream: NotRequired[bool | None]


class BadNote(TypedDict):
    """What of a note could not be read as meant."""

    path: str
    reason: str
    line: int | None
    column: int | None


class Block(TypedDict):
    """A part of a note. `Note.blocks` holds the tree in pre-order: a block, then those within it."""

    kind: str
    start: int
    end: int
    start_line: int
    end_line: int
    block_id: str | None
    depth: int
    label: str


class BrokenLine(TypedDict):
    """What of a fact's line could not be read; the rest of it counts."""

    path: str
    line: int
    message: str


class BrokenLink(TypedDict):
    """A link that leads nowhere. target: as written, without fragment. line: 1-based. repairs: best first."""

    path: str
    line: int
    target: str
    text: str
    repairs: list[Repair]


class Change(TypedDict):
    """What is to be changed, one of these. until: "" for good. superseded_with: a newer fact in its place."""

    text: NotRequired[str | None]
    pinned: NotRequired[bool | None]
    until: NotRequired[str | None]
    superseded_with: NotRequired[str | None]


class Choice(TypedDict):
    """The model that is to answer."""

    model: str


class Chosen(TypedDict):
    """What will answer once it has embedded everything."""

    accepted: bool
    model: str


class Chunk(TypedDict):
    """A part of a note that is embedded and cited."""

    ordinal: int
    heading_path: list[str]
    text: str
    start_char: int
    end_char: int
    start_line: int
    end_line: int
    block_ids: list[str]
    content: str


class Cited(TypedDict):
    """The number of a passage, the first time that the answer cites it."""

    n: int


class CitedPassage(TypedDict):
    """A passage that an answer may rest on, by the number that its marker carries."""

    path: str
    title: str
    heading_path: list[str]
    text: str
    start_line: int
    end_line: int
    start_char: int
    end_char: int
    block_id: str | None
    content_hash: str
    stale: bool
    score: float
    scores: Scores
    highlights: list[tuple[int, int]]
    link: str
    uri: str
    page: int | None
    n: int


class Compare(TypedDict):
    """The two notes."""

    first: str
    second: str
    stream: NotRequired[bool | None]


class Comparison(TypedDict):
    """What two notes say. `text` carries `[n]` markers; `citations` are the passages that are cited."""

    first: NoteName
    second: NoteName
    text: str
    both: list[Pair]
    differ: list[Pair]
    only_first: list[Said]
    only_second: list[Said]
    first_alone: int
    second_alone: int
    sentences: list[AnswerSentence]
    citations: list[CitedPassage]
    changed: list[str]
    generator: GeneratorName
    stages: list[str]
    warnings: list[str]
    revision: int
    pending: int
    took_ms: float
    template: str
    usage: Usage | None


class Contradiction(TypedDict):
    """Two facts that hold and may not agree."""

    newer: KnownFact
    older: KnownFact


class Contradictions(TypedDict):
    """Pairs for a person to settle: edit, forget, or let one replace the other."""

    conflicts: list[Contradiction]


class Copied(TypedDict):
    """The folder of a copy."""

    copied: str
    revision: int


class Decide(TypedDict):
    """What is decided on a sentence; one that is refused is never proposed again."""

    accept: bool
    subject: NotRequired[str | None]


class DecideAction(TypedDict):
    """What a person decides."""

    decision: Literal["approve", "reject", "undo"]


class Decided(TypedDict):
    """What became of a proposal. fact, undo: of what is remembered, null if it was refused."""

    outcome: Literal["known", "refused", "remembered"]
    text: str
    fact: KnownFact | None
    undo: str | None


class Delta(TypedDict):
    """A piece of the answer's text."""

    text: str


class Disk(TypedDict):
    """What the index takes, and what is left; null where its folder is gone."""

    index_bytes: int
    free_bytes: int | None


class Duplicate(TypedDict):
    """Two notes that say nearly the same. alike: the share of runs of words that they have in common."""

    first: str
    second: str
    alike: float


class Estimate(TypedDict):
    """What a summary will cost, before anything is read."""

    about: str
    notes: int
    passages: int
    tokens: int
    calls: int
    seconds: float | None
    kept_back: int
    pending: int
    generator: GeneratorName


class Excluded(TypedDict):
    """How many notes a pattern would take out, and the first of them."""

    exclude: str
    notes: int
    paths: list[str]


class Explanation(TypedDict):
    """Why the passages of a search stand in their order."""

    reasons: list[Reasons]
    weights: dict[str, float]
    corrected: dict[str, list[str]]
    took_ms: dict[str, float]


class FactReceipt(TypedDict):
    """What became of a fact. undo: takes it back, null if nothing was done. near: facts that are like it."""

    outcome: Literal["changed", "forgotten", "known", "remembered", "superseded", "undone"]
    fact: KnownFact
    undo: str | None
    near: list[KnownFact]


class Field(TypedDict):
    """A property within the text: Dataview's `key:: value` and `[key:: value]`, Logseq's `key:: value`."""

    key: str
    value: str
    start: int
    end: int
    line: int


class FoundFact(TypedDict):
    """A fact that answers. score: 0 to 1. replaced: a newer one stands before it; expired: it is over."""

    fact: KnownFact
    score: float
    replaced: bool
    expired: bool


class FoundTask(TypedDict):
    """A task and where it stands."""

    text: str
    status: Literal["cancelled", "done", "open"]
    mark: str
    due: str
    scheduled: str
    start: str
    finished: str
    priority: str
    overdue: bool
    tags: list[str]
    within: list[str]
    path: str
    title: str
    heading_path: list[str]
    line: int
    start_char: int
    end_char: int
    block_id: str | None
    content_hash: str
    stale: bool
    link: str
    uri: str


class GeneratorName(TypedDict):
    """What wrote an answer and where that runs. why: it and no other, "" where the settings name it."""

    name: str
    location: Literal["embedded", "local", "remote"]
    why: str


class Heading(TypedDict):
    """A heading outside lists and quotes, in an outline also one in a bullet."""

    level: int
    text: str
    line: int
    start: int
    end: int


class Health(TypedDict):
    """It is alive."""

    status: Literal["ok"]
    version: str


class Hint(TypedDict):
    """What a person should know, and what to do about it."""

    code: str
    message: str
    command: str | None


class Indexing(TypedDict):
    """How far indexing is."""

    state: Literal["error", "held", "indexing", "paused", "ready", "starting"]
    message: str | None
    progress: Progress | None
    revision: int
    pending_chunks: int


class Known(TypedDict):
    """Facts in the order of their notes, the first of `total`. folder: of the vault, of their notes."""

    folder: str
    total: int
    subjects: dict[str, int]
    facts: list[KnownFact]
    broken: list[BrokenLine]


class KnownAction(TypedDict):
    """An action and what became of it. diff: what it would change now, of one that waits."""

    id: str
    state: Literal["applied", "applying", "failed", "proposed", "rejected", "undone"]
    kind: Literal["add_link", "append", "create", "insert", "move", "section", "set_property"]
    path: str
    text: str
    heading: str
    name: str
    value: str
    to: str
    by: str
    at: str
    why: str
    diff: str


class KnownActions(TypedDict):
    """Actions, the newest first. waiting: how many wait for a person."""

    waiting: int
    actions: list[KnownAction]


class KnownFact(TypedDict):
    """A fact. path, line: of its note in the vault, from 1. holds: it is neither replaced nor over."""

    id: str
    text: str
    subject: str
    path: str
    line: int
    said: str | None
    source: str
    pinned: bool
    until: str | None
    superseded_by: str | None
    holds: bool
    link: str
    uri: str


class KnownModel(TypedDict):
    """One embedding model. chosen: in the settings. origin: what it comes with; where: its name there."""

    name: str
    short_names: list[str]
    chosen: bool
    origin: Literal["hub", "package"]
    where: str
    here: bool
    languages: list[str]
    languages_note: str
    dimensions: int
    sizes: list[int]
    max_tokens: int
    size_mb: int | None
    licence: str
    must_accept: bool


class KnownRoutine(TypedDict):
    """A routine. next: when it is due; triggers: on what it runs beside the clock; last: its latest run."""

    name: str
    path: str
    title: str
    enabled: bool
    schedule: str
    timezone: str
    triggers: list[str]
    writes: str
    grants: list[str]
    hosts: list[str]
    model: str
    next: str | None
    last: RoutineRun | None


class KnownRoutines(TypedDict):
    """All routines. folder: of the vault, where their notes lie."""

    folder: str
    routines: list[KnownRoutine]
    wrong: list[WrongRoutine]


class LinkReport(TypedDict):
    """The state of all links. unread: notes that could not be read, which the report says nothing of."""

    revision: int
    notes: int
    links: int
    broken: list[BrokenLink]
    orphans: list[Orphan]
    duplicates: list[Duplicate]
    unread: list[str]
    took_s: float


class LinkTo(TypedDict):
    """A link of a note. path: where it leads, null where nothing is there yet, or in another vault."""

    kind: str
    target: str
    fragment: str
    alias: str
    line: int
    embed: bool
    path: str | None


class Links(TypedDict):
    """The links that a note could have. content_hash: of the text that the spans are of."""

    path: str
    content_hash: str
    revision: int
    mentions: list[Mention]
    suggestions: list[Suggestion]


class LoginLink(TypedDict):
    """An address that logs a browser in, once and within a minute."""

    url: str


class Memory(TypedDict):
    """What the process takes."""

    rss_bytes: int


class MemoryAnswer(TypedDict):
    """What the model is told; is_error: that the command could not be done."""

    content: str
    is_error: bool


class MemoryCommand(TypedDict):
    """A command of the tool `memory_20250818`, with the fields that it needs."""

    command: Literal["create", "delete", "insert", "rename", "str_replace", "view"]
    path: NotRequired[str | None]
    view_range: NotRequired[list[int] | None]
    file_text: NotRequired[str | None]
    old_str: NotRequired[str | None]
    new_str: NotRequired[str | None]
    insert_line: NotRequired[int | None]
    insert_text: NotRequired[str | None]
    old_path: NotRequired[str | None]
    new_path: NotRequired[str | None]


class Mention(TypedDict):
    """A place that names another note without linking to it."""

    text: str
    line: int
    column_utf16: int
    start_char: int
    end_char: int
    target: str
    title: str
    link: str
    confidence: float
    sure: bool
    why: str


class Models(TypedDict):
    """The embedding models that have a name of their own. pulling: what is being fetched, "" for nothing."""

    models: list[KnownModel]
    pulling: str


class NamedFact(TypedDict):
    """A fact, and where it stands or stood. line: from 1."""

    id: str
    text: str
    path: str
    line: int


class NextModel(TypedDict):
    """The model that is to answer, and how much it has embedded."""

    name: str
    done: int
    total: int


class NoteName(TypedDict):
    """A note by its path and title, and a link that opens it."""

    path: str
    title: str
    link: str


class NotePage(TypedDict):
    """Some of the paths in a state, by name. counts: of each state. after: where the next page begins."""

    notes: list[NoteStatus]
    counts: dict[str, int]
    after: str | None
    revision: int


class NoteStatus(TypedDict):
    """What the index holds of a path. reason: why it is not, or not wholly, indexed, in words."""

    path: str
    state: Literal["failed", "indexed", "missing", "pending", "skipped"]
    indexed: bool
    reason: str | None
    revision: int | None
    content_hash: str | None
    chunks: int
    embedded_chunks: int
    local_only: str | None
    problems: list[Problem]


class Notice(TypedDict):
    """What is waited for while nothing is written, in words. preview: the answer without any generator."""

    text: str
    preview: str


class Orphan(TypedDict):
    """A note that has no link to or from another."""

    path: str
    title: str


class Pair(TypedDict):
    """Two sentences about one thing. score: their cosine. why: in what they differ, "" where they agree."""

    first: Said
    second: Said
    score: float
    why: str


class ParsedNote(TypedDict):
    """What a note says on disk now. indexed: the index knows it as it is. date: the day that it is about."""

    path: str
    kind: Literal["base", "canvas", "markdown", "org", "outline", "pdf"]
    content_hash: str
    indexed: bool
    title: str
    date: str | None
    aliases: list[str]
    tags: list[str]
    properties: dict[str, Any]
    property_types: dict[str, str]
    property_spans: dict[str, PropertySpan]
    fields: list[Field]
    headings: list[Heading]
    blocks: list[Block]
    links: list[LinkTo]
    backlinks: list[str]
    chunks: list[Chunk]
    problems: list[Problem]


class Part(TypedDict):
    """What one leg says for a passage. score: cosine or BM25. share: that as 0 to 1; it counts `weight`."""

    score: float
    share: float
    weight: float


class Passage(TypedDict):
    """A chunk as a search result."""

    path: str
    title: str
    heading_path: list[str]
    text: str
    start_line: int
    end_line: int
    start_char: int
    end_char: int
    block_id: str | None
    content_hash: str
    stale: bool
    score: float
    scores: Scores
    highlights: list[tuple[int, int]]
    link: str
    uri: str
    page: int | None


class Problem(TypedDict):
    """Something in a note that could not be read as meant; the rest of the note still counts (D4)."""

    reason: str
    line: int | None
    column: int | None


class ProblemDocument(TypedDict):
    """What went wrong, and what to do about it (RFC 9457)."""

    type: str
    title: str
    status: int
    code: Literal[
        "bad_request",
        "daemon_unreachable",
        "disk_full",
        "forbidden",
        "generator_unavailable",
        "index_unavailable",
        "internal",
        "method_not_allowed",
        "model_unavailable",
        "not_found",
        "note_changed",
        "overloaded",
        "port_taken",
        "too_large",
        "unauthorized",
        "vault_held",
        "vault_unavailable",
    ]
    detail: str
    hint: NotRequired[str]


class Progress(TypedDict):
    """Work under way. eta_s: what is left at the rate so far, null while that is unknown."""

    phase: Literal["embedding", "reading", "switching"]
    done: int
    total: int
    unit: str
    eta_s: float | None
    tokens_per_s: float | None


class PropertySpan(TypedDict):
    """Where a property of the note stands: its name begins at start, its value is from value_start to end."""

    start: int
    value_start: int
    end: int
    line: int


class Proposals(TypedDict):
    """What may still be decided on, in the order in which it was said. clients: whose words are kept."""

    proposals: list[Proposed]
    clients: list[str]


class ProposeAction(TypedDict):
    """A change that is proposed. It is made once a person approves it."""

    kind: Literal["add_link", "append", "create", "insert", "move", "set_property"]
    path: str
    text: NotRequired[str | None]
    heading: NotRequired[str | None]
    name: NotRequired[str | None]
    value: NotRequired[str | None]
    to: NotRequired[str | None]
    why: NotRequired[str | None]


class Proposed(TypedDict):
    """A sentence of the person's own that may become a fact. path: of the note that keeps it."""

    id: str
    text: str
    path: str
    said: str
    client: str


class Pull(TypedDict):
    """What is fetched."""

    model: str
    accept_licence: NotRequired[bool | None]


class PullDone(TypedDict):
    """The model is here."""

    model: str


class Pulling(TypedDict):
    """How far a file is, in bytes; 0 for a total that is not known."""

    file: str
    done: int
    total: int


class Reading(TypedDict):
    """How far a report is."""

    done: int
    total: int


class Reasons(TypedDict):
    """Why one passage stands where it does."""

    semantic: Part | None
    text: Part | None
    fused: float
    signs: dict[str, float]
    odds: float | None


class Recalled(TypedDict):
    """What memory says to a question, best first; nothing where no memory fits. understood: of its words."""

    question: str
    understood: list[str]
    stages: list[str]
    results: list[FoundFact]


class Receipt(TypedDict):
    """What became of an order. facts: that were kept or forgotten; where it is unclear, that may be meant."""

    outcome: Literal["forgotten", "known", "nothing", "refused", "remembered", "too_long", "unclear"]
    message: str
    facts: list[NamedFact]


class Refuse(TypedDict):
    """Pairs that are never to be suggested again; undo: that may be."""

    pairs: list[RefusedPair]
    undo: NotRequired[bool | None]


class Refused(TypedDict):
    """All pairs that are refused. changed: by this request. unknown: paths in it that are not indexed."""

    pairs: list[RefusedPair]
    changed: int
    unknown: list[str]


class RefusedPair(TypedDict):
    """Two notes that are not to be linked, in whichever direction."""

    path: str
    other: str


class RelatedNote(TypedDict):
    """A note near another. why: the reason, in words."""

    path: str
    title: str
    score: float
    why: str
    link: str
    linked: bool
    passage: Passage


class RelatedNotes(TypedDict):
    """The notes nearest to a note, or to a text, whose path is null."""

    path: str | None
    revision: int
    results: list[RelatedNote]


class Remember(TypedDict):
    """What is to be kept. source: said by the person's own token alone; else it is the token's name."""

    text: str
    subject: NotRequired[str | None]
    source: NotRequired[str | None]
    said: NotRequired[str | None]
    until: NotRequired[str | None]
    notes: NotRequired[list[str] | None]


class Repair(TypedDict):
    """A note that a broken link may have meant. link: what to write instead. alike: 0 to 1."""

    path: str
    title: str
    link: str
    why: str
    alike: float


class Revision(TypedDict):
    """The index has changed."""

    revision: int


class RoutineRun(TypedDict):
    """A run. trace: its inputs, prompt, text, generator, tokens, diff, warnings and took_ms."""

    id: str
    routine: str
    cause: str
    state: Literal["cancelled", "done", "failed", "running", "skipped", "waiting"]
    due: str
    started: str | None
    ended: str | None
    tries: int
    why: str
    actions: list[str]
    trace: dict[str, Any]


class RoutineRuns(TypedDict):
    """Runs, the latest first, without their traces."""

    runs: list[RoutineRun]


class Run(TypedDict):
    """What is to be looked at: the whole vault, where no paths are given."""

    paths: NotRequired[list[str] | None]
    force: NotRequired[bool | None]
    confirm_removals: NotRequired[bool | None]
    pause: NotRequired[bool | None]
    copy: NotRequired[str | None]


class RunChange(TypedDict):
    """What becomes of a run."""

    state: Literal["cancelled"]


class RunProgress(TypedDict):
    """How far a run of a routine is. why: what went wrong, or why it was skipped."""

    id: str
    routine: str
    state: Literal["cancelled", "done", "failed", "running", "skipped", "waiting"]
    why: str


class RunRoutine(TypedDict):
    """How a routine is run."""

    dry_run: NotRequired[bool | None]


class Said(TypedDict):
    """A sentence of a note, and the number of the passage it stands in."""

    text: str
    n: int


class Scores(TypedDict):
    """The parts of a score: cosine of the embeddings, BM25 of the text; None where a leg found nothing."""

    semantic: float | None
    text: float | None


class SearchResult(TypedDict):
    """Passages, best first, and how fresh and how complete they are (D13, D16)."""

    query: str
    mode: Literal["hybrid", "semantic", "text"]
    stages: list[str]
    revision: int
    pending_chunks: int
    took_ms: float
    results: list[Passage]
    understood: list[str]
    notices: list[str]
    explained: Explanation | None


class ServedVault(TypedDict):
    """The folder of notes."""

    name: str
    path: str


class Setting(TypedDict):
    """source: the command line, the name of a variable, config.toml or default."""

    name: str
    value: Any
    source: str


class Sources(TypedDict):
    """The passages that an answer will be written from."""

    citations: list[CitedPassage]
    revision: int


class StateChange(TypedDict):
    """What the daemon does has changed."""

    state: Literal["error", "held", "indexing", "paused", "ready", "starting"]
    message: str | None


class Status(TypedDict):
    """What the daemon serves, does and could not read. languages: their shares of the vault."""

    version: str
    vault: ServedVault
    state: Literal["error", "held", "indexing", "paused", "ready", "starting"]
    message: str | None
    code: str | None
    revision: int
    notes: int
    chunks: int
    pending_chunks: int
    progress: Progress | None
    problems: list[BadNote]
    work: Work
    languages: dict[str, float]
    hints: list[Hint]
    model: AnsweringModel
    generator: GeneratorName
    watcher: Watching
    memory: Memory
    disk: Disk


class Step(TypedDict):
    """A step that is done. note: the path of the last note that was read; notes: how many so far."""

    done: int
    total: int
    notes: int
    note: str
    text: str
    left_s: float | None


class Stopping(TypedDict):
    """The daemon ends; it has ended when the process has."""

    accepted: bool
    pid: int


class Suggestion(TypedDict):
    """A note that a link could lead to, from wherever. confidence: as of a mention. passage: what is near."""

    path: str
    title: str
    confidence: float
    why: str
    link: str
    linked: bool
    passage: Passage | None


class Summarize(TypedDict):
    """Which notes are summarised, all of them where nothing is said, and how."""

    path: NotRequired[str | None]
    tag: NotRequired[list[str] | str | None]
    property: NotRequired[list[str] | str | None]
    since: NotRequired[str | None]
    before: NotRequired[str | None]
    note: NotRequired[str | None]
    limit: NotRequired[int | None]
    budget_s: NotRequired[float | None]
    estimate: NotRequired[bool | None]
    stream: NotRequired[bool | None]


class Summary(TypedDict):
    """A whole summary. `summary` carries `[n]` markers; `citations` are the passages that it cites."""

    about: str
    summary: str
    topics: list[Topic]
    sentences: list[AnswerSentence]
    citations: list[CitedPassage]
    estimate: Estimate
    notes_read: int
    changed: list[str]
    generator: GeneratorName
    stages: list[str]
    warnings: list[str]
    revision: int
    pending: int
    took_ms: float
    template: str
    usage: Usage | None


class TaskList(TypedDict):
    """Tasks in the order in which they press. total: how many there are, overdue: how many of these are."""

    tasks: list[FoundTask]
    total: int
    overdue: int
    revision: int


class Told(TypedDict):
    """Each setting; of a secret only whether there is one."""

    settings: list[Setting]


class Topic(TypedDict):
    """A note that is quoted. sentences: their places in the summary's list."""

    note: NoteName
    sentences: list[int]
    also: list[NoteName]
    others: int


class Triggered(TypedDict):
    """A run that is to be made. id: by which its trace is found."""

    id: str


class Turn(TypedDict):
    """What was said before in a conversation, by the person (`user`) or in an answer (`assistant`)."""

    role: Literal["assistant", "user"]
    content: str


class Undo(TypedDict):
    """Which change; the last one where none is named."""

    change: NotRequired[str | None]


class Usage(TypedDict):
    """What an answer cost in tokens, None where the server does not say."""

    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None


class Watching(TypedDict):
    """How changes are noticed: reason tells why not natively."""

    mode: str
    reason: str | None


class Work(TypedDict):
    """What was done since the start."""

    notes_read: int
    chunks_embedded: int
    commits: int


class WrongRoutine(TypedDict):
    """What is wrong with a routine's note, at which line from 1. It does not run until that is mended."""

    path: str
    line: int
    message: str
    hint: str
