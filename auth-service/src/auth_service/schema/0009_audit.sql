-- What happened, in one chain: each row's mac covers the row and the mac before it, with a key that is not in this file. subject is a user's id or ''.
CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY,
    at_ms   INTEGER NOT NULL,
    event   TEXT NOT NULL,
    actor   TEXT NOT NULL,
    subject TEXT NOT NULL,
    ip_mark TEXT NOT NULL,
    data    TEXT NOT NULL,
    mac     BLOB NOT NULL
) STRICT;
CREATE INDEX audit_subject ON audit (subject, seq);
