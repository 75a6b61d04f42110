-- What is told to the owner of an account. A notice is one event; a telling is one contact that has not been told of it yet. Both are written in the transaction of
-- the event, so that none is lost; the message is put together when it is due, and its tellings are deleted with that.

CREATE TABLE notices (
    id        TEXT PRIMARY KEY,
    user      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind      TEXT NOT NULL,
    subject   TEXT NOT NULL,
    device    TEXT,
    confirmed INTEGER NOT NULL,
    at_ms     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX notices_user ON notices (user, at_ms);
CREATE TABLE tellings (
    notice  TEXT NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    contact TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    PRIMARY KEY (notice, contact)
) STRICT, WITHOUT ROWID;
CREATE INDEX tellings_contact ON tellings (contact);

-- How often one kind of notice is sent to one user: at open_ms what has gathered goes out in one message. gathered: something has.
CREATE TABLE paces (
    user     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind     TEXT NOT NULL,
    level    INTEGER NOT NULL,
    open_ms  INTEGER NOT NULL,
    gathered INTEGER NOT NULL,
    PRIMARY KEY (user, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX paces_due ON paces (open_ms) WHERE gathered = 1;

-- A link in a message: for one contact, one use, and the notices that it speaks of.
CREATE TABLE undo_links (
    hash       BLOB PRIMARY KEY,
    user       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    contact    TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX undo_links_expiry ON undo_links (expires_ms);
CREATE TABLE undo_events (
    link   BLOB NOT NULL REFERENCES undo_links (hash) ON DELETE CASCADE,
    notice TEXT NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    PRIMARY KEY (link, notice)
) STRICT, WITHOUT ROWID;
CREATE INDEX undo_events_notice ON undo_events (notice);
CREATE TABLE freezes (
    contact TEXT NOT NULL,
    user    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (contact, at_ms)
) STRICT, WITHOUT ROWID;

-- Reminders that a new factor will soon count. subject is the factor.
CREATE TABLE reminders (
    user    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    due_ms  INTEGER NOT NULL,
    PRIMARY KEY (subject, due_ms)
) STRICT, WITHOUT ROWID;
CREATE INDEX reminders_due ON reminders (due_ms);

-- A code on its way to a contact: to prove the contact itself (session ''), or to prove a session with it. strong: it was asked for in a
-- session that proved itself with a mature factor on a mature device.
CREATE TABLE contact_codes (
    contact    TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    session    TEXT NOT NULL,
    code_mark  BLOB NOT NULL,
    strong     INTEGER NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (contact, session)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_codes_expiry ON contact_codes (expires_ms);

-- asked_ms: somebody else has proved the same number since; its owner is asked whether it is still theirs.
ALTER TABLE contacts ADD COLUMN asked_ms INTEGER;

-- factor: the id of the TOTP or passkey that the session's last second factor was, so that one can say whether that was a mature one.
ALTER TABLE sessions ADD COLUMN factor TEXT;

-- A question too can end at once, and what is being removed is found without looking at everything.
ALTER TABLE questions ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
CREATE INDEX contacts_removed ON contacts (removed_ms) WHERE removed_ms IS NOT NULL;
CREATE INDEX contacts_pending ON contacts (added_ms) WHERE proved_ms IS NULL;
CREATE INDEX totp_removed ON totp (removed_ms) WHERE removed_ms IS NOT NULL;
CREATE INDEX passkeys_removed ON passkeys (removed_ms) WHERE removed_ms IS NOT NULL;
CREATE INDEX code_sets_removed ON code_sets (removed_ms) WHERE removed_ms IS NOT NULL;
CREATE INDEX questions_removed ON questions (removed_ms) WHERE removed_ms IS NOT NULL;
CREATE INDEX devices_removed ON devices (removed_ms) WHERE removed_ms IS NOT NULL;
