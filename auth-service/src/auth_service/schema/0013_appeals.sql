-- What banned people say about their ban, and what was answered. The ban itself is the detector's; what it said is kept with the appeal, for it ends by itself.
CREATE TABLE appeals (
    id          TEXT PRIMARY KEY,
    subject     TEXT NOT NULL,
    sentence    TEXT NOT NULL,
    decision    INTEGER NOT NULL,
    until_ms    INTEGER NOT NULL,
    opened_ms   INTEGER NOT NULL,
    state       TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'upheld', 'refused')),
    answer      TEXT NOT NULL DEFAULT '',
    answered_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX appeals_state ON appeals (state, opened_ms);
CREATE TABLE appeal_texts (
    appeal TEXT NOT NULL REFERENCES appeals (id) ON DELETE CASCADE,
    at_ms  INTEGER NOT NULL,
    text   TEXT NOT NULL
) STRICT;
CREATE INDEX appeal_texts_appeal ON appeal_texts (appeal, at_ms);
