-- A session on a mature device that an unconfirmed one wants to end is asked first: since when, for which device, and when it ends unless somebody there says no.
ALTER TABLE sessions ADD COLUMN asked_ms INTEGER;
ALTER TABLE sessions ADD COLUMN asked_by TEXT REFERENCES devices (id) ON DELETE SET NULL;
ALTER TABLE sessions ADD COLUMN ends_ms INTEGER;
CREATE INDEX sessions_asked ON sessions (ends_ms) WHERE ends_ms IS NOT NULL;
CREATE INDEX sessions_asked_by ON sessions (asked_by) WHERE asked_by IS NOT NULL;

-- signs_ms: from when on a key signs; it is published before that.
ALTER TABLE signing_keys ADD COLUMN signs_ms INTEGER NOT NULL DEFAULT 0;
UPDATE signing_keys SET signs_ms = created_ms;
