-- Experiments, what they said, and what they measured. Times are ISO 8601 in UTC; JSON columns are parsed by zod on reading.

CREATE TABLE experiments (
  number INTEGER PRIMARY KEY AUTOINCREMENT, -- order of arrival
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  tags TEXT NOT NULL, -- JSON: array of strings
  notes TEXT NOT NULL,
  priority INTEGER NOT NULL,
  state TEXT NOT NULL,
  preset TEXT,
  corpus TEXT NOT NULL,
  config TEXT NOT NULL, -- JSON: the full, resolved config
  parent_id TEXT,
  created_at TEXT NOT NULL,
  started_at TEXT,
  ended_at TEXT,
  attempt INTEGER NOT NULL DEFAULT 0, -- starts on a host so far
  restarts INTEGER NOT NULL DEFAULT 0, -- starts that nobody asked for, since somebody last did
  resume INTEGER NOT NULL DEFAULT 0, -- 1: the next start goes on from the latest checkpoint
  will_restart INTEGER NOT NULL DEFAULT 0, -- 1: interrupted, to be queued again by itself
  seq INTEGER NOT NULL DEFAULT 0, -- number of its latest event
  queue_order INTEGER NOT NULL DEFAULT 0, -- among equal priorities the lower one starts first
  parameter_count INTEGER,
  vocabulary_size INTEGER,
  best_epoch INTEGER,
  best_valid_perplexity REAL,
  test_perplexity REAL,
  digest TEXT, -- SHA-256 over the final weights
  model_digest TEXT, -- of the weights that are served; null = none yet
  run TEXT, -- JSON: what the last attempt ran on
  error TEXT -- JSON: why it failed
) STRICT;

CREATE INDEX experiments_by_state ON experiments (state, number);
CREATE INDEX experiments_by_corpus ON experiments (corpus, number);
CREATE INDEX experiments_in_queue ON experiments (priority DESC, queue_order) WHERE state = 'queued';

CREATE TABLE events (
  experiment INTEGER NOT NULL REFERENCES experiments (number) ON DELETE CASCADE,
  seq INTEGER NOT NULL, -- 1, 2, 3 … within the experiment
  time TEXT NOT NULL,
  type TEXT NOT NULL,
  data TEXT NOT NULL, -- JSON
  PRIMARY KEY (experiment, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric_keys (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE metric_points (
  experiment INTEGER NOT NULL REFERENCES experiments (number) ON DELETE CASCADE,
  key INTEGER NOT NULL REFERENCES metric_keys (id),
  step INTEGER NOT NULL, -- updates so far
  epoch REAL NOT NULL, -- with the fraction of the present one
  time INTEGER NOT NULL, -- milliseconds since 1970, UTC
  value REAL, -- null: not finite
  PRIMARY KEY (experiment, key, step)
) STRICT, WITHOUT ROWID;

-- Apart from the points, so that a page of experiments costs the same however long they trained.
CREATE TABLE latest_metrics (
  experiment INTEGER NOT NULL REFERENCES experiments (number) ON DELETE CASCADE,
  key INTEGER NOT NULL REFERENCES metric_keys (id),
  value REAL,
  PRIMARY KEY (experiment, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX latest_metrics_by_value ON latest_metrics (key, value);

CREATE TABLE checkpoints (
  experiment INTEGER NOT NULL REFERENCES experiments (number) ON DELETE CASCADE,
  step INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  file TEXT NOT NULL, -- relative to the experiment's folder
  bytes INTEGER NOT NULL,
  digest TEXT NOT NULL,
  is_best INTEGER NOT NULL,
  time TEXT NOT NULL,
  PRIMARY KEY (experiment, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_keys (
  key TEXT PRIMARY KEY,
  body_digest TEXT NOT NULL, -- SHA-256 of the body that it came with
  experiment INTEGER NOT NULL REFERENCES experiments (number) ON DELETE CASCADE,
  created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
