-- Recoveries, and where accounts were used from. user NULL: a decoy, which nothing proves.

CREATE TABLE recoveries (
    id            TEXT PRIMARY KEY,
    user          TEXT REFERENCES users (id) ON DELETE CASCADE,
    secret_hash   BLOB NOT NULL,
    goal          TEXT NOT NULL CHECK (goal IN ('password', 'mfa')),
    phase         TEXT NOT NULL,
    started_ms    INTEGER NOT NULL,
    until_ms      INTEGER NOT NULL,
    points        INTEGER NOT NULL DEFAULT 0,
    band          TEXT NOT NULL DEFAULT 'refused',
    not_before_ms INTEGER NOT NULL DEFAULT 0,
    slowed        INTEGER NOT NULL DEFAULT 0,
    known         INTEGER NOT NULL,
    device        TEXT,
    net           TEXT NOT NULL,
    answer        TEXT NOT NULL DEFAULT 'not_asked',
    last_factor   TEXT,
    misses        INTEGER NOT NULL DEFAULT 0,
    announced     INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX recoveries_user ON recoveries (user, goal);
CREATE INDEX recoveries_phase ON recoveries (phase, until_ms);
CREATE INDEX recoveries_unannounced ON recoveries (announced) WHERE announced = 0;

-- Evidence: what was proved. A factor may be gone when the recovery is weighed; then it counts for nothing.
CREATE TABLE recovery_proofs (
    flow   TEXT NOT NULL REFERENCES recoveries (id) ON DELETE CASCADE,
    factor TEXT NOT NULL,
    at_ms  INTEGER NOT NULL,
    PRIMARY KEY (flow, factor)
) STRICT, WITHOUT ROWID;
CREATE TABLE recovery_releases (
    flow     TEXT NOT NULL REFERENCES recoveries (id) ON DELETE CASCADE,
    phone    TEXT NOT NULL,
    asked_ms INTEGER NOT NULL,
    objected INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (flow, phone)
) STRICT, WITHOUT ROWID;
-- voter: the contact whose link it was, or the factor that its session was stepped up with.
CREATE TABLE recovery_vetoes (
    flow   TEXT NOT NULL REFERENCES recoveries (id) ON DELETE CASCADE,
    voter  TEXT NOT NULL,
    points INTEGER NOT NULL,
    effect TEXT NOT NULL,
    at_ms  INTEGER NOT NULL
) STRICT;
CREATE INDEX recovery_vetoes_flow ON recovery_vetoes (flow);
CREATE TABLE recovery_codes (
    flow       TEXT NOT NULL REFERENCES recoveries (id) ON DELETE CASCADE,
    contact    TEXT NOT NULL,
    code_mark  BLOB NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (flow, contact)
) STRICT, WITHOUT ROWID;

-- Codes that were asked for and not yet sent: who gets one is found out behind the answer, so that the answer says nothing.
CREATE TABLE recovery_sends (
    id       INTEGER PRIMARY KEY,
    flow     TEXT NOT NULL REFERENCES recoveries (id) ON DELETE CASCADE,
    kind     TEXT NOT NULL CHECK (kind IN ('email', 'sms')),
    prefix   BLOB NOT NULL,
    asked_ms INTEGER NOT NULL,
    UNIQUE (flow, kind)
) STRICT;
-- The codes of the last day, for the caps: by number or address over all accounts, and by account.
CREATE TABLE recovery_messages (
    mark  BLOB NOT NULL,
    user  TEXT NOT NULL,
    kind  TEXT NOT NULL,
    known INTEGER NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX recovery_messages_mark ON recovery_messages (mark, at_ms);
CREATE INDEX recovery_messages_user ON recovery_messages (user, kind, at_ms);

-- Full logins and daily refreshes of confirmed devices. net: a keyed mark of the /24 or /48; what a GeoIP database said of it is with it.
CREATE TABLE login_history (
    user      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device    TEXT NOT NULL,
    net       TEXT NOT NULL,
    day       INTEGER NOT NULL,
    at_ms     INTEGER NOT NULL,
    asn       INTEGER,
    country   TEXT NOT NULL,
    lat       REAL,
    lon       REAL,
    radius_km REAL,
    anonymous INTEGER NOT NULL,
    PRIMARY KEY (user, device, net, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX login_history_net ON login_history (net, at_ms);
CREATE INDEX login_history_at ON login_history (at_ms);

-- What sessions have proved themselves with, beside the password: contacts, seeds, passkeys.
CREATE TABLE session_proofs (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    factor  TEXT NOT NULL,
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (session, factor)
) STRICT, WITHOUT ROWID;
INSERT INTO session_proofs (session, factor, at_ms) SELECT id, factor, otp_ms FROM sessions WHERE factor IS NOT NULL AND otp_ms IS NOT NULL;

-- A recovery suspends the roles of its account until they are granted again.
ALTER TABLE roles ADD COLUMN suspended_ms INTEGER;
