-- A ticket may be for nobody (user NULL): where a name is shut, every password gets one. shut: a code to a contact passes it, if the account has no second factor.
-- tag: the keyed mark of the name that was typed.
CREATE TABLE mfa_tickets_of_0008 (
    hash       BLOB PRIMARY KEY,
    user       TEXT REFERENCES users (id) ON DELETE CASCADE,
    device     TEXT REFERENCES devices (id) ON DELETE CASCADE,
    shut       INTEGER NOT NULL DEFAULT 0,
    tag        TEXT NOT NULL DEFAULT '',
    misses     INTEGER NOT NULL DEFAULT 0,
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO mfa_tickets_of_0008 (hash, user, device, misses, expires_ms) SELECT hash, user, device, misses, expires_ms FROM mfa_tickets;
DROP TABLE mfa_tickets;
ALTER TABLE mfa_tickets_of_0008 RENAME TO mfa_tickets;
CREATE INDEX mfa_tickets_expiry ON mfa_tickets (expires_ms);
