/** Whole documents as the daemon sends them, for tests to change in one place. */

export const passage = {
  path: "Projects/Garden.md",
  title: "Garden",
  heading_path: ["Garden", "Watering"],
  text: "Water the tomatoes every second day.",
  start_line: 12,
  end_line: 14,
  start_char: 100,
  end_char: 136,
  block_id: null,
  content_hash: "abc",
  stale: false,
  score: 0.9,
  scores: { semantic: 0.9, text: null },
  highlights: [[10, 18]],
  link: "[[Garden#Watering]]",
  uri: "obsidian://open?vault=v&file=Projects%2FGarden%23Watering",
  page: null,
};

export const answer = {
  question: "How often do I water?",
  answer: "Every second day. [1]\n\nIn June daily. [2] Bees like it.",
  found: true,
  sentences: [
    { text: "Every second day.", citations: [1], supported: true },
    { text: "In June daily.", citations: [2], supported: true },
    { text: "Bees like it.", citations: [], supported: false },
  ],
  citations: [
    { n: 1, ...passage },
    { n: 2, ...passage, title: "June", path: "June.md", heading_path: [], link: "[[June]]", stale: true },
  ],
  generator: { name: "extractive", location: "embedded" },
  stages: ["search", "write", "check"],
  warnings: [],
  narrowed: [],
  revision: 7,
  took_ms: 1234,
};

export const status = {
  version: "0.1.0",
  vault: { name: "Vault", path: "/v" },
  state: "indexing",
  message: null,
  revision: 3,
  notes: 10,
  chunks: 40,
  pending_chunks: 5,
  progress: { phase: "embedding", done: 42, total: 100, unit: "chunks", eta_s: 180, tokens_per_s: 900 },
  problems: [{ path: "Bad.md", reason: "frontmatter is not YAML", line: 2, column: 5 }],
  model: { name: "e5", dimensions: 384, fingerprint: "f", execution_provider: "CPUExecutionProvider" },
  generator: { name: "extractive", location: "embedded" },
  watcher: { mode: "native", reason: null },
  memory: { rss_bytes: 1 },
  disk: { index_bytes: 2, free_bytes: 3 },
};

export const related = {
  path: "June.md",
  title: "June",
  score: 0.5,
  why: "Both speak of watering",
  link: "[[June]]",
  linked: false,
  passage,
};

export const mention = {
  text: "garden",
  line: 2,
  column_utf16: 6,
  start_char: 20,
  end_char: 26,
  target: "Projects/Garden.md",
  title: "Garden",
  link: "[[Garden|garden]]",
  confidence: 0.8,
  sure: true,
  why: "called so",
};

export const suggestion = {
  path: "June.md",
  title: "June",
  confidence: 0.4,
  why: "Both speak of watering",
  link: "[[June]]",
  linked: false,
  passage,
};
