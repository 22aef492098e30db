/** The daemon's documents as they cross the wire. Made by scripts/contract; not to be edited. */

export interface Accepted {
  accepted: boolean;
  revision: number;
}

export interface ActionChange {
  id: string;
  state: "applied" | "applying" | "failed" | "proposed" | "rejected" | "undone";
  path: string;
}

export interface Answer {
  question: string;
  answer: string;
  found: boolean;
  sentences: readonly (AnswerSentence)[];
  citations: readonly (CitedPassage)[];
  generator: GeneratorName;
  stages: readonly (string)[];
  warnings: readonly (string)[];
  revision: number;
  took_ms: number;
  narrowed: readonly (string)[];
  asked: string;
  template: string;
  usage: Usage | null;
  nearest: readonly (CitedPassage)[];
  receipt: Receipt | null;
}

export interface AnswerSentence {
  text: string;
  citations: readonly (number)[];
  supported: boolean;
}

export interface AnsweringModel {
  name: string;
  fingerprint: string;
  dimensions: number;
  spec: string;
  execution_provider: string | null;
  location: "embedded" | "local" | "remote";
  precision: string | null;
  warning: string | null;
  texts_split: number;
  search: "approximate" | "exact";
  next: NextModel | null;
}

export interface Ask {
  path?: string | null;
  tag?: readonly (string)[] | string | null;
  property?: readonly (string)[] | string | null;
  since?: string | null;
  before?: string | null;
  question: string;
  limit?: number | null;
  selection?: string | null;
  note?: string | null;
  history?: readonly (Turn)[] | null;
  budget_s?: number | null;
  as_asked?: boolean | null;
  memory?: boolean | null;
  conversation?: string | null;
  client?: string | null;
  stream?: boolean | null;
}

export interface BadNote {
  path: string;
  reason: string;
  line: number | null;
  column: number | null;
}

export interface Block {
  kind: string;
  start: number;
  end: number;
  start_line: number;
  end_line: number;
  block_id: string | null;
  depth: number;
  label: string;
}

export interface BrokenLine {
  path: string;
  line: number;
  message: string;
}

export interface BrokenLink {
  path: string;
  line: number;
  target: string;
  text: string;
  repairs: readonly (Repair)[];
}

export interface Change {
  text?: string | null;
  pinned?: boolean | null;
  until?: string | null;
  superseded_with?: string | null;
}

export interface Choice {
  model: string;
}

export interface Chosen {
  accepted: boolean;
  model: string;
}

export interface Chunk {
  ordinal: number;
  heading_path: readonly (string)[];
  text: string;
  start_char: number;
  end_char: number;
  start_line: number;
  end_line: number;
  block_ids: readonly (string)[];
  content: string;
}

export interface Cited {
  n: number;
}

export interface CitedPassage {
  path: string;
  title: string;
  heading_path: readonly (string)[];
  text: string;
  start_line: number;
  end_line: number;
  start_char: number;
  end_char: number;
  block_id: string | null;
  content_hash: string;
  stale: boolean;
  score: number;
  scores: Scores;
  highlights: readonly ([number, number])[];
  link: string;
  uri: string;
  page: number | null;
  n: number;
}

export interface Compare {
  first: string;
  second: string;
  stream?: boolean | null;
}

export interface Comparison {
  first: NoteName;
  second: NoteName;
  text: string;
  both: readonly (Pair)[];
  differ: readonly (Pair)[];
  only_first: readonly (Said)[];
  only_second: readonly (Said)[];
  first_alone: number;
  second_alone: number;
  sentences: readonly (AnswerSentence)[];
  citations: readonly (CitedPassage)[];
  changed: readonly (string)[];
  generator: GeneratorName;
  stages: readonly (string)[];
  warnings: readonly (string)[];
  revision: number;
  pending: number;
  took_ms: number;
  template: string;
  usage: Usage | null;
}

export interface Contradiction {
  newer: KnownFact;
  older: KnownFact;
}

export interface Contradictions {
  conflicts: readonly (Contradiction)[];
}

export interface Copied {
  copied: string;
  revision: number;
}

export interface Decide {
  accept: boolean;
  subject?: string | null;
}

export interface DecideAction {
  decision: "approve" | "reject" | "undo";
}

export interface Decided {
  outcome: "known" | "refused" | "remembered";
  text: string;
  fact: KnownFact | null;
  undo: string | null;
}

export interface Delta {
  text: string;
}

export interface Disk {
  index_bytes: number;
  free_bytes: number | null;
}

export interface Duplicate {
  first: string;
  second: string;
  alike: number;
}

export interface Estimate {
  about: string;
  notes: number;
  passages: number;
  tokens: number;
  calls: number;
  seconds: number | null;
  kept_back: number;
  pending: number;
  generator: GeneratorName;
}

export interface Excluded {
  exclude: string;
  notes: number;
  paths: readonly (string)[];
}

export interface Explanation {
  reasons: readonly (Reasons)[];
  weights: Record<string, number>;
  corrected: Record<string, readonly (string)[]>;
  took_ms: Record<string, number>;
}

export interface FactReceipt {
  outcome: "changed" | "forgotten" | "known" | "remembered" | "superseded" | "undone";
  fact: KnownFact;
  undo: string | null;
  near: readonly (KnownFact)[];
}

export interface Field {
  key: string;
  value: string;
  start: number;
  end: number;
  line: number;
}

export interface FoundFact {
  fact: KnownFact;
  score: number;
  replaced: boolean;
  expired: boolean;
}

export interface FoundTask {
  text: string;
  status: "cancelled" | "done" | "open";
  mark: string;
  due: string;
  scheduled: string;
  start: string;
  finished: string;
  priority: string;
  overdue: boolean;
  tags: readonly (string)[];
  within: readonly (string)[];
  path: string;
  title: string;
  heading_path: readonly (string)[];
  line: number;
  start_char: number;
  end_char: number;
  block_id: string | null;
  content_hash: string;
  stale: boolean;
  link: string;
  uri: string;
}

export interface GeneratorName {
  name: string;
  location: "embedded" | "local" | "remote";
  why: string;
}

export interface Heading {
  level: number;
  text: string;
  line: number;
  start: number;
  end: number;
}

export interface Health {
  status: "ok";
  version: string;
}

export interface Hint {
  code: string;
  message: string;
  command: string | null;
}

export interface Indexing {
  state: "error" | "held" | "indexing" | "paused" | "ready" | "starting";
  message: string | null;
  progress: Progress | null;
  revision: number;
  pending_chunks: number;
}

export interface Known {
  folder: string;
  total: number;
  subjects: Record<string, number>;
  facts: readonly (KnownFact)[];
  broken: readonly (BrokenLine)[];
}

export interface KnownAction {
  id: string;
  state: "applied" | "applying" | "failed" | "proposed" | "rejected" | "undone";
  kind: "add_link" | "append" | "create" | "insert" | "move" | "section" | "set_property";
  path: string;
  text: string;
  heading: string;
  name: string;
  value: string;
  to: string;
  by: string;
  at: string;
  why: string;
  diff: string;
}

export interface KnownActions {
  waiting: number;
  actions: readonly (KnownAction)[];
}

export interface KnownFact {
  id: string;
  text: string;
  subject: string;
  path: string;
  line: number;
  said: string | null;
  source: string;
  pinned: boolean;
  until: string | null;
  superseded_by: string | null;
  holds: boolean;
  link: string;
  uri: string;
}

export interface KnownModel {
  name: string;
  short_names: readonly (string)[];
  chosen: boolean;
  origin: "hub" | "package";
  where: string;
  here: boolean;
  languages: readonly (string)[];
  languages_note: string;
  dimensions: number;
  sizes: readonly (number)[];
  max_tokens: number;
  size_mb: number | null;
  licence: string;
  must_accept: boolean;
}

export interface KnownRoutine {
  name: string;
  path: string;
  title: string;
  enabled: boolean;
  schedule: string;
  timezone: string;
  triggers: readonly (string)[];
  writes: string;
  grants: readonly (string)[];
  hosts: readonly (string)[];
  model: string;
  next: string | null;
  last: RoutineRun | null;
}

export interface KnownRoutines {
  folder: string;
  routines: readonly (KnownRoutine)[];
  wrong: readonly (WrongRoutine)[];
}

export interface LinkReport {
  revision: number;
  notes: number;
  links: number;
  broken: readonly (BrokenLink)[];
  orphans: readonly (Orphan)[];
  duplicates: readonly (Duplicate)[];
  unread: readonly (string)[];
  took_s: number;
}

export interface LinkTo {
  kind: string;
  target: string;
  fragment: string;
  alias: string;
  line: number;
  embed: boolean;
  path: string | null;
}

export interface Links {
  path: string;
  content_hash: string;
  revision: number;
  mentions: readonly (Mention)[];
  suggestions: readonly (Suggestion)[];
}

export interface LoginLink {
  url: string;
}

export interface Memory {
  rss_bytes: number;
}

export interface MemoryAnswer {
  content: string;
  is_error: boolean;
}

export interface MemoryCommand {
  command: "create" | "delete" | "insert" | "rename" | "str_replace" | "view";
  path?: string | null;
  view_range?: readonly (number)[] | null;
  file_text?: string | null;
  old_str?: string | null;
  new_str?: string | null;
  insert_line?: number | null;
  insert_text?: string | null;
  old_path?: string | null;
  new_path?: string | null;
}

export interface Mention {
  text: string;
  line: number;
  column_utf16: number;
  start_char: number;
  end_char: number;
  target: string;
  title: string;
  link: string;
  confidence: number;
  sure: boolean;
  why: string;
}

export interface Models {
  models: readonly (KnownModel)[];
  pulling: string;
}

export interface NamedFact {
  id: string;
  text: string;
  path: string;
  line: number;
}

export interface NextModel {
  name: string;
  done: number;
  total: number;
}

export interface NoteName {
  path: string;
  title: string;
  link: string;
}

export interface NotePage {
  notes: readonly (NoteStatus)[];
  counts: Record<string, number>;
  after: string | null;
  revision: number;
}

export interface NoteStatus {
  path: string;
  state: "failed" | "indexed" | "missing" | "pending" | "skipped";
  indexed: boolean;
  reason: string | null;
  revision: number | null;
  content_hash: string | null;
  chunks: number;
  embedded_chunks: number;
  local_only: string | null;
  problems: readonly (Problem)[];
}

export interface Notice {
  text: string;
  preview: string;
}

export interface Orphan {
  path: string;
  title: string;
}

export interface Pair {
  first: Said;
  second: Said;
  score: number;
  why: string;
}

export interface ParsedNote {
  path: string;
  kind: "base" | "canvas" | "markdown" | "org" | "outline" | "pdf";
  content_hash: string;
  indexed: boolean;
  title: string;
  date: string | null;
  aliases: readonly (string)[];
  tags: readonly (string)[];
  properties: Record<string, unknown>;
  property_types: Record<string, string>;
  property_spans: Record<string, PropertySpan>;
  fields: readonly (Field)[];
  headings: readonly (Heading)[];
  blocks: readonly (Block)[];
  links: readonly (LinkTo)[];
  backlinks: readonly (string)[];
  chunks: readonly (Chunk)[];
  problems: readonly (Problem)[];
}

export interface Part {
  score: number;
  share: number;
  weight: number;
}

export interface Passage {
  path: string;
  title: string;
  heading_path: readonly (string)[];
  text: string;
  start_line: number;
  end_line: number;
  start_char: number;
  end_char: number;
  block_id: string | null;
  content_hash: string;
  stale: boolean;
  score: number;
  scores: Scores;
  highlights: readonly ([number, number])[];
  link: string;
  uri: string;
  page: number | null;
}

export interface Problem {
  reason: string;
  line: number | null;
  column: number | null;
}

export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  code: "bad_request" | "daemon_unreachable" | "disk_full" | "forbidden" | "generator_unavailable" | "index_unavailable" | "internal" | "method_not_allowed" | "model_unavailable" | "not_found" | "note_changed" | "overloaded" | "port_taken" | "too_large" | "unauthorized" | "vault_held" | "vault_unavailable";
  detail: string;
  hint?: string;
}

export interface Progress {
  phase: "embedding" | "reading" | "switching";
  done: number;
  total: number;
  unit: string;
  eta_s: number | null;
  tokens_per_s: number | null;
}

export interface PropertySpan {
  start: number;
  value_start: number;
  end: number;
  line: number;
}

export interface Proposals {
  proposals: readonly (Proposed)[];
  clients: readonly (string)[];
}

export interface ProposeAction {
  kind: "add_link" | "append" | "create" | "insert" | "move" | "set_property";
  path: string;
  text?: string | null;
  heading?: string | null;
  name?: string | null;
  value?: string | null;
  to?: string | null;
  why?: string | null;
}

export interface Proposed {
  id: string;
  text: string;
  path: string;
  said: string;
  client: string;
}

export interface Pull {
  model: string;
  accept_licence?: boolean | null;
}

export interface PullDone {
  model: string;
}

export interface Pulling {
  file: string;
  done: number;
  total: number;
}

export interface Reading {
  done: number;
  total: number;
}

export interface Reasons {
  semantic: Part | null;
  text: Part | null;
  fused: number;
  signs: Record<string, number>;
  odds: number | null;
}

export interface Recalled {
  question: string;
  understood: readonly (string)[];
  stages: readonly (string)[];
  results: readonly (FoundFact)[];
}

export interface Receipt {
  outcome: "forgotten" | "known" | "nothing" | "refused" | "remembered" | "too_long" | "unclear";
  message: string;
  facts: readonly (NamedFact)[];
}

export interface Refuse {
  pairs: readonly (RefusedPair)[];
  undo?: boolean | null;
}

export interface Refused {
  pairs: readonly (RefusedPair)[];
  changed: number;
  unknown: readonly (string)[];
}

export interface RefusedPair {
  path: string;
  other: string;
}

export interface RelatedNote {
  path: string;
  title: string;
  score: number;
  why: string;
  link: string;
  linked: boolean;
  passage: Passage;
}

export interface RelatedNotes {
  path: string | null;
  revision: number;
  results: readonly (RelatedNote)[];
}

export interface Remember {
  text: string;
  subject?: string | null;
  source?: string | null;
  said?: string | null;
  until?: string | null;
  notes?: readonly (string)[] | null;
}

export interface Repair {
  path: string;
  title: string;
  link: string;
  why: string;
  alike: number;
}

export interface Revision {
  revision: number;
}

export interface RoutineRun {
  id: string;
  routine: string;
  cause: string;
  state: "cancelled" | "done" | "failed" | "running" | "skipped" | "waiting";
  due: string;
  started: string | null;
  ended: string | null;
  tries: number;
  why: string;
  actions: readonly (string)[];
  trace: Record<string, unknown>;
}

export interface RoutineRuns {
  runs: readonly (RoutineRun)[];
}

export interface Run {
  paths?: readonly (string)[] | null;
  force?: boolean | null;
  confirm_removals?: boolean | null;
  pause?: boolean | null;
  copy?: string | null;
}

export interface RunChange {
  state: "cancelled";
}

export interface RunProgress {
  id: string;
  routine: string;
  state: "cancelled" | "done" | "failed" | "running" | "skipped" | "waiting";
  why: string;
}

export interface RunRoutine {
  dry_run?: boolean | null;
}

export interface Said {
  text: string;
  n: number;
}

export interface Scores {
  semantic: number | null;
  text: number | null;
}

export interface SearchResult {
  query: string;
  mode: "hybrid" | "semantic" | "text";
  stages: readonly (string)[];
  revision: number;
  pending_chunks: number;
  took_ms: number;
  results: readonly (Passage)[];
  understood: readonly (string)[];
  notices: readonly (string)[];
  explained: Explanation | null;
}

export interface ServedVault {
  name: string;
  path: string;
}

export interface Setting {
  name: string;
  value: unknown;
  source: string;
}

export interface Sources {
  citations: readonly (CitedPassage)[];
  revision: number;
}

export interface StateChange {
  state: "error" | "held" | "indexing" | "paused" | "ready" | "starting";
  message: string | null;
}

export interface Status {
  version: string;
  vault: ServedVault;
  state: "error" | "held" | "indexing" | "paused" | "ready" | "starting";
  message: string | null;
  code: string | null;
  revision: number;
  notes: number;
  chunks: number;
  pending_chunks: number;
  progress: Progress | null;
  problems: readonly (BadNote)[];
  work: Work;
  languages: Record<string, number>;
  hints: readonly (Hint)[];
  model: AnsweringModel;
  generator: GeneratorName;
  watcher: Watching;
  memory: Memory;
  disk: Disk;
}

export interface Step {
  done: number;
  total: number;
  notes: number;
  note: string;
  text: string;
  left_s: number | null;
}

export interface Stopping {
  accepted: boolean;
  pid: number;
}

export interface Suggestion {
  path: string;
  title: string;
  confidence: number;
  why: string;
  link: string;
  linked: boolean;
  passage: Passage | null;
}

export interface Summarize {
  path?: string | null;
  tag?: readonly (string)[] | string | null;
  property?: readonly (string)[] | string | null;
  since?: string | null;
  before?: string | null;
  note?: string | null;
  limit?: number | null;
  budget_s?: number | null;
  estimate?: boolean | null;
  stream?: boolean | null;
}

export interface Summary {
  about: string;
  summary: string;
  topics: readonly (Topic)[];
  sentences: readonly (AnswerSentence)[];
  citations: readonly (CitedPassage)[];
  estimate: Estimate;
  notes_read: number;
  changed: readonly (string)[];
  generator: GeneratorName;
  stages: readonly (string)[];
  warnings: readonly (string)[];
  revision: number;
  pending: number;
  took_ms: number;
  template: string;
  usage: Usage | null;
}

export interface TaskList {
  tasks: readonly (FoundTask)[];
  total: number;
  overdue: number;
  revision: number;
}

export interface Told {
  settings: readonly (Setting)[];
}

export interface Topic {
  note: NoteName;
  sentences: readonly (number)[];
  also: readonly (NoteName)[];
  others: number;
}

export interface Triggered {
  id: string;
}

export interface Turn {
  role: "assistant" | "user";
  content: string;
}

export interface Undo {
  change?: string | null;
}

export interface Usage {
  prompt_tokens: number | null;
  completion_tokens: number | null;
  cached_tokens: number | null;
}

export interface Watching {
  mode: string;
  reason: string | null;
}

export interface Work {
  notes_read: number;
  chunks_embedded: number;
  commits: number;
}

export interface WrongRoutine {
  path: string;
  line: number;
  message: string;
  hint: string;
}
