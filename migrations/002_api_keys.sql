-- Who may call. A key is kept as its SHA-256 alone: it has 256 random bits, so that no slower hash would add anything.

CREATE TABLE api_keys (
  name TEXT PRIMARY KEY,
  scope TEXT NOT NULL,
  digest TEXT NOT NULL UNIQUE, -- SHA-256 of the key, hexadecimal
  prefix TEXT NOT NULL, -- its first characters, to be recognized by
  created_at TEXT NOT NULL,
  expires_at TEXT,
  last_used_at TEXT
) STRICT, WITHOUT ROWID;
