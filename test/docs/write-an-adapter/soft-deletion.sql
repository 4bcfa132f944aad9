CREATE TABLE offers (
  id         TEXT NOT NULL PRIMARY KEY,
  title      TEXT NOT NULL,
  price      INTEGER NOT NULL CHECK (price >= 0),
  published  INTEGER NOT NULL CHECK (published IN (0, 1)),
  version    TEXT NOT NULL DEFAULT (lower(hex(randomblob(12)))),
  replaced   TEXT,
  digest     TEXT,
  deleted_at TEXT
) STRICT;

CREATE TRIGGER offers_version AFTER UPDATE ON offers WHEN new.version = old.version BEGIN
  UPDATE offers SET version = lower(hex(randomblob(12))), replaced = old.version, digest = NULL WHERE id = new.id;
END;
