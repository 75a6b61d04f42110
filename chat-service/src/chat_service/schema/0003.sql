-- What changes a message afterwards, and how far members have come.

-- The newest `edited` event of a message (its seq is `of`): the only one that still holds a text.
CREATE TABLE edits (
    room TEXT NOT NULL,
    of   INTEGER NOT NULL,
    seq  INTEGER NOT NULL,
    PRIMARY KEY (room, of)
) STRICT, WITHOUT ROWID;

-- In this order the different emoji of a message are found by skipping, however many users gave each.
CREATE TABLE reactions (
    room  TEXT NOT NULL,
    of    INTEGER NOT NULL,
    emoji TEXT NOT NULL,
    user  TEXT NOT NULL,
    PRIMARY KEY (room, of, emoji, user)
) STRICT, WITHOUT ROWID;

-- Which messages show a file: one that no message shows any more goes with the last of them.
CREATE TABLE shown (
    file TEXT NOT NULL,
    seq  INTEGER NOT NULL,
    PRIMARY KEY (file, seq)
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO shown (file, seq)
    SELECT json_extract(shows.value, '$.id'), events.seq
    FROM events, json_each(CAST(events.frame AS TEXT), '$.files') AS shows
    WHERE events.mid IS NOT NULL;

CREATE INDEX uploads_expired ON uploads (created_ms) WHERE state = 'expired' AND cleared = 0;

-- Marks of what a member has read and of what has arrived at a device; they only grow.
ALTER TABLE members ADD COLUMN read INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN received INTEGER NOT NULL DEFAULT 0;
