-- What an account is proved with, and what happened to it. A factor is added, proved, mature, removed and, when its rights have ended, deleted; the rules are in
-- core/recovery. proved_ms NULL: pending. lost: removed with effect at once.

CREATE TABLE contacts_new (
    id           TEXT PRIMARY KEY,
    user         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind         TEXT NOT NULL CHECK (kind IN ('email', 'sms')),
    mark         BLOB NOT NULL,
    sealed_value BLOB NOT NULL,
    added_ms     INTEGER NOT NULL,
    proved_ms    INTEGER,
    matures_ms   INTEGER NOT NULL,
    confirmed_ms INTEGER NOT NULL DEFAULT 0,
    removed_ms   INTEGER,
    lost         INTEGER NOT NULL DEFAULT 0,
    suspect      INTEGER NOT NULL DEFAULT 0,
    UNIQUE (user, mark)
) STRICT, WITHOUT ROWID;
INSERT INTO contacts_new (id, user, kind, mark, sealed_value, added_ms, proved_ms, matures_ms, confirmed_ms)
    SELECT id, user, kind, mark, sealed_value, verified_ms, verified_ms, verified_ms, verified_ms FROM contacts;
DROP TABLE contacts;
ALTER TABLE contacts_new RENAME TO contacts;
CREATE INDEX contacts_mark ON contacts (mark, proved_ms);

-- A user may have one seed that waits, one that is on, and others that retire. A seed that waits has no proved_ms.
CREATE TABLE totp_new (
    id          TEXT PRIMARY KEY,
    user        TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    sealed_seed BLOB NOT NULL,
    last_step   INTEGER NOT NULL DEFAULT 0,
    added_ms    INTEGER NOT NULL,
    proved_ms   INTEGER,
    matures_ms  INTEGER NOT NULL,
    removed_ms  INTEGER,
    lost        INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
INSERT INTO totp_new (id, user, sealed_seed, last_step, added_ms, proved_ms, matures_ms)
    SELECT user, user, sealed_seed, last_step, coalesce(confirmed_ms, 0), confirmed_ms, coalesce(confirmed_ms, 0) + 2592000000 FROM totp;
DROP TABLE totp;
ALTER TABLE totp_new RENAME TO totp;
CREATE INDEX totp_user ON totp (user);

CREATE TABLE passkeys (
    id            TEXT PRIMARY KEY,
    user          TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_id BLOB NOT NULL UNIQUE,
    public_key    BLOB NOT NULL,
    sign_count    INTEGER NOT NULL,
    label         TEXT NOT NULL,
    backed_up     INTEGER NOT NULL,
    used_ms       INTEGER,
    added_ms      INTEGER NOT NULL,
    proved_ms     INTEGER NOT NULL,
    matures_ms    INTEGER NOT NULL,
    removed_ms    INTEGER,
    lost          INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX passkeys_user ON passkeys (user);

-- Ten codes are one factor. A code is a selector that finds it and a secret that is hashed.
CREATE TABLE code_sets (
    id         TEXT PRIMARY KEY,
    user       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    added_ms   INTEGER NOT NULL,
    matures_ms INTEGER NOT NULL,
    removed_ms INTEGER,
    lost       INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX code_sets_user ON code_sets (user);
CREATE TABLE saved_codes (
    code_set TEXT NOT NULL REFERENCES code_sets (id) ON DELETE CASCADE,
    selector TEXT NOT NULL,
    hash     TEXT NOT NULL,
    used_ms  INTEGER,
    PRIMARY KEY (code_set, selector)
) STRICT, WITHOUT ROWID;

CREATE TABLE questions (
    id          TEXT PRIMARY KEY,
    user        TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    question    TEXT NOT NULL,
    hash        TEXT NOT NULL,
    added_ms    INTEGER NOT NULL,
    matures_ms  INTEGER NOT NULL,
    removed_ms  INTEGER,
    misses      INTEGER NOT NULL DEFAULT 0,
    closed_ms   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX questions_user ON questions (user);

-- registered: the account was made on it. device_days: one row for each day since its confirmation on which it was used.
ALTER TABLE devices ADD COLUMN registered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE devices ADD COLUMN removed_ms INTEGER;
ALTER TABLE devices ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
UPDATE devices SET registered = 1 WHERE confirmed_ms IS NOT NULL;
CREATE TABLE device_days (
    device  TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    day     INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    PRIMARY KEY (device, day)
) STRICT, WITHOUT ROWID;

-- What was changed, by which device, and whether that was confirmed at the time: the horizon is made of it.
CREATE TABLE changes (
    id        TEXT PRIMARY KEY,
    user      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind      TEXT NOT NULL,
    subject   TEXT NOT NULL,
    device    TEXT,
    confirmed INTEGER NOT NULL,
    at_ms     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX changes_user ON changes (user, at_ms);
CREATE TABLE disputes (
    id        TEXT PRIMARY KEY,
    user      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    event_ms  INTEGER NOT NULL,
    contact   TEXT NOT NULL,
    opened_ms INTEGER NOT NULL,
    closed    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX disputes_user ON disputes (user);

ALTER TABLE users ADD COLUMN guarded_until_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN frozen_until_ms INTEGER NOT NULL DEFAULT 0;
