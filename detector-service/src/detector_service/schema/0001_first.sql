-- Events: what happened, each once. (stream, stream_id) is Redis's name for an entry; 'operator' is the stream of what operators do.
-- body is the record as msgpack, as it came; the other columns are what is looked up. at_ms is never after seen_ms.
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    stream_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    unit TEXT NOT NULL,
    user TEXT NOT NULL,
    device TEXT NOT NULL,
    account TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (stream, stream_id)
) STRICT;
CREATE INDEX events_by_kind ON events (kind, seen_ms);
CREATE INDEX events_by_unit ON events (unit, id) WHERE unit <> '';
CREATE INDEX events_by_user ON events (user, id) WHERE user <> '';
CREATE INDEX events_by_device ON events (device, id) WHERE device <> '';
CREATE INDEX events_by_account ON events (account, id) WHERE account <> '';

-- Decisions: one per rule, subject and beginning of what was counted. event is the one that crossed the line; numbers is a JSON object.
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY,
    scenario TEXT NOT NULL,
    version INTEGER NOT NULL,
    subject TEXT NOT NULL,
    window_start_ms INTEGER NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('ban', 'spared', 'watch', 'challenge')),
    at_ms INTEGER NOT NULL,
    event INTEGER NOT NULL REFERENCES events (id),
    numbers TEXT NOT NULL,
    sentence TEXT NOT NULL,
    UNIQUE (scenario, subject, window_start_ms)
) STRICT;
CREATE INDEX decisions_by_subject ON decisions (subject, at_ms);
CREATE INDEX decisions_by_event ON decisions (event);

CREATE TABLE evidence (
    decision INTEGER NOT NULL REFERENCES decisions (id),
    event INTEGER NOT NULL REFERENCES events (id),
    PRIMARY KEY (decision, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX evidence_by_event ON evidence (event);

-- Bans: the decisions that banned somebody. In force while lifted_ms is null and until_ms lies ahead; at most one per subject.
CREATE TABLE bans (
    decision INTEGER PRIMARY KEY REFERENCES decisions (id),
    subject TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    level INTEGER NOT NULL,
    reason TEXT NOT NULL,
    appeal TEXT NOT NULL UNIQUE,
    lifted_ms INTEGER,
    lifted_reason TEXT
) STRICT;
CREATE INDEX bans_by_subject ON bans (subject, decision);
CREATE INDEX bans_by_end ON bans (until_ms);

-- Who was seen where, one row per user, unit and UTC day; and when accounts were made.
CREATE TABLE sightings (
    user TEXT NOT NULL,
    unit TEXT NOT NULL,
    day INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY (user, day, unit)
) STRICT, WITHOUT ROWID;
CREATE INDEX sightings_by_unit ON sightings (unit, last_ms);
CREATE INDEX sightings_by_day ON sightings (day);
CREATE TABLE accounts (
    user TEXT NOT NULL PRIMARY KEY,
    since_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What operators did: only ever added to.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    decision INTEGER NOT NULL,
    subject TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
