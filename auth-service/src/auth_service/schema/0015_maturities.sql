-- When factors begin to count, for the audit log.
CREATE TABLE maturities (
    factor TEXT PRIMARY KEY,
    user   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind   TEXT NOT NULL,
    due_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX maturities_due ON maturities (due_ms);
