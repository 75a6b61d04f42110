-- Accounts, sessions and what waits. Times are Unix milliseconds (…_ms). `sealed_…` is AES-256-GCM, `…_mark` a keyed hash, `…_hash` of a random secret SHA-256.

CREATE TABLE users (
    id           TEXT PRIMARY KEY,
    status       TEXT NOT NULL CHECK (status IN ('active', 'locked')),
    epoch        INTEGER NOT NULL DEFAULT 0,
    display_name TEXT NOT NULL,
    locale       TEXT NOT NULL,
    created_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row per name that nobody else may take: the skeleton, so that look-alikes are the same row.
CREATE TABLE usernames (
    skeleton TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    user     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX usernames_user ON usernames (user);

CREATE TABLE roles (
    user       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role       TEXT NOT NULL,
    granted_ms INTEGER NOT NULL,
    PRIMARY KEY (user, role)
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
    id           TEXT PRIMARY KEY,
    user         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind         TEXT NOT NULL CHECK (kind IN ('email', 'sms')),
    mark         BLOB NOT NULL UNIQUE,
    sealed_value BLOB NOT NULL,
    verified_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX contacts_user ON contacts (user);

CREATE TABLE passwords (
    user       TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    hash       TEXT NOT NULL,
    changed_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- last_step is the newest step whose code was accepted: no code counts twice.
CREATE TABLE totp (
    user         TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    sealed_seed  BLOB NOT NULL,
    last_step    INTEGER NOT NULL,
    confirmed_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
    id             TEXT PRIMARY KEY,
    user           TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    secret_mark    BLOB NOT NULL UNIQUE,
    label          TEXT NOT NULL,
    first_login_ms INTEGER NOT NULL,
    last_login_ms  INTEGER NOT NULL,
    confirmed_ms   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_user ON devices (user);

CREATE TABLE sessions (
    id           TEXT PRIMARY KEY,
    user         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device       TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    client_id    TEXT NOT NULL,
    amr          TEXT NOT NULL,
    auth_ms      INTEGER NOT NULL,
    otp_ms       INTEGER,
    created_ms   INTEGER NOT NULL,
    last_seen_ms INTEGER NOT NULL,
    expires_ms   INTEGER NOT NULL,
    ended_ms     INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user, ended_ms);

-- The chain of a session: each token has one successor at most. sealed_successor is the successor's secret, for an answer that was lost on the way;
-- the sweep empties it after the grace.
CREATE TABLE refresh_tokens (
    id               TEXT PRIMARY KEY,
    session          TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    secret_hash      BLOB NOT NULL,
    parent           TEXT UNIQUE REFERENCES refresh_tokens (id) ON DELETE CASCADE,
    created_ms       INTEGER NOT NULL,
    expires_ms       INTEGER NOT NULL,
    used_ms          INTEGER,
    replays          INTEGER NOT NULL DEFAULT 0,
    sealed_successor BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_session ON refresh_tokens (session);
CREATE INDEX refresh_tokens_graced ON refresh_tokens (used_ms) WHERE sealed_successor IS NOT NULL;

-- A registration under way. code_mark NULL: a decoy, which no code fits. ticket_hash is set once the contact is proved.
CREATE TABLE flows (
    id             TEXT PRIMARY KEY,
    secret_hash    BLOB NOT NULL,
    contact_kind   TEXT NOT NULL CHECK (contact_kind IN ('email', 'sms')),
    contact_mark   BLOB NOT NULL,
    sealed_contact BLOB NOT NULL,
    password_hash  TEXT NOT NULL,
    locale         TEXT NOT NULL,
    code_mark      BLOB,
    tries          INTEGER NOT NULL DEFAULT 0,
    ticket_hash    BLOB,
    created_ms     INTEGER NOT NULL,
    expires_ms     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX flows_contact ON flows (contact_mark, created_ms);
CREATE INDEX flows_expiry ON flows (expires_ms);

-- The password was right; a second factor is wanted. device is the known device that asks, or NULL.
CREATE TABLE mfa_tickets (
    hash       BLOB PRIMARY KEY,
    user       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device     TEXT REFERENCES devices (id) ON DELETE CASCADE,
    misses     INTEGER NOT NULL DEFAULT 0,
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Messages to people, written in the transaction of what they tell. sealed_body holds the address and the text.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('email', 'sms')),
    sealed_body BLOB NOT NULL,
    at_ms       INTEGER NOT NULL,
    sent_ms     INTEGER
) STRICT;

-- Ended sessions, written in the transaction that ends them; sid '' means every session of the user below min_epoch.
CREATE TABLE revocations (
    id        INTEGER PRIMARY KEY,
    sub       TEXT NOT NULL,
    sid       TEXT NOT NULL,
    min_epoch INTEGER NOT NULL,
    at_ms     INTEGER NOT NULL,
    said      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX revocations_at ON revocations (at_ms);

CREATE TABLE signing_keys (
    kid            TEXT PRIMARY KEY,
    sealed_private BLOB NOT NULL,
    public         BLOB NOT NULL,
    created_ms     INTEGER NOT NULL,
    retires_ms     INTEGER
) STRICT, WITHOUT ROWID;
