-- Sweeps: what they try, how far each trial has come, and what they said. A trial is one experiment a seed.

-- A training pauses by itself when so many epochs are done; null = it does not.
ALTER TABLE experiments ADD COLUMN pause_at_epoch INTEGER;

CREATE TABLE sweeps (
  number INTEGER PRIMARY KEY AUTOINCREMENT, -- order of arrival
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  input TEXT NOT NULL, -- JSON: the resolved body of POST /sweeps, with the limits as they were extended
  trial_limits TEXT NOT NULL, -- JSON: how many trials it may make, and from when on
  state TEXT NOT NULL,
  reason TEXT, -- why it finished
  best_trial INTEGER,
  best_value REAL,
  running_ms INTEGER NOT NULL DEFAULT 0, -- time that it ran so far, pauses not counted
  created_at TEXT NOT NULL,
  ended_at TEXT,
  seq INTEGER NOT NULL DEFAULT 0 -- number of its latest event
) STRICT;

CREATE INDEX sweeps_by_state ON sweeps (state, number);

CREATE TABLE sweep_trials (
  sweep INTEGER NOT NULL REFERENCES sweeps (number) ON DELETE CASCADE,
  trial INTEGER NOT NULL, -- 0, 1, 2 … within the sweep
  point TEXT NOT NULL, -- JSON: the value of each setting, by path
  phase TEXT NOT NULL,
  to_epoch INTEGER NOT NULL, -- the epoch that it trains to, or has trained to
  error TEXT, -- JSON: why it makes no experiment
  PRIMARY KEY (sweep, trial)
) STRICT, WITHOUT ROWID;

CREATE TABLE sweep_runs (
  sweep INTEGER NOT NULL,
  trial INTEGER NOT NULL,
  repetition INTEGER NOT NULL, -- 0, 1 … one for each seed
  experiment_id TEXT NOT NULL UNIQUE,
  curve TEXT NOT NULL DEFAULT '[]', -- JSON: the objective after each epoch; null = not finite
  outcome TEXT, -- succeeded, failed: it will train no further
  rests INTEGER NOT NULL DEFAULT 0, -- 1: the sweep paused it, so the sweep may resume it
  PRIMARY KEY (sweep, trial, repetition),
  FOREIGN KEY (sweep, trial) REFERENCES sweep_trials (sweep, trial) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE sweep_events (
  sweep INTEGER NOT NULL REFERENCES sweeps (number) ON DELETE CASCADE,
  seq INTEGER NOT NULL, -- 1, 2, 3 … within the sweep
  time TEXT NOT NULL,
  type TEXT NOT NULL,
  data TEXT NOT NULL, -- JSON
  PRIMARY KEY (sweep, seq)
) STRICT, WITHOUT ROWID;
