-- Rooms, members, events, requests, personal logs, uploads and files. Ids are kept as clients see them.
-- Foreign keys are not enforced: the one writer inserts in order, and a check per row would cost more than the insert.

-- The one copy that may write. `fence` grows with every start; `seen_ms` is its sign of life.
CREATE TABLE owner (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    fence   INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL
) STRICT;
INSERT INTO owner (one, fence, seen_ms) VALUES (1, 0, 0);

-- `name` is the newest one seen for the id; a name belongs to whoever was last seen with it. `head` and `published` are those of the log @me.
CREATE TABLE users (
    id        TEXT PRIMARY KEY,
    name      TEXT NOT NULL COLLATE NOCASE,
    named_ms  INTEGER NOT NULL,
    head      INTEGER NOT NULL DEFAULT 0,
    published INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX users_name ON users (name, named_ms);

-- `head` is the seq of the newest event, `published` the seq up to which events surely went out. `pair` is "user user" of a direct room.
CREATE TABLE rooms (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('public', 'private', 'direct')),
    title      TEXT,
    topic      TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    epoch      TEXT NOT NULL,
    head       INTEGER NOT NULL,
    published  INTEGER NOT NULL DEFAULT 0,
    members    INTEGER NOT NULL,
    pair       TEXT UNIQUE
) STRICT, WITHOUT ROWID;
CREATE INDEX rooms_public ON rooms (id) WHERE kind = 'public';

CREATE TABLE members (
    room TEXT NOT NULL,
    user TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'moderator', 'member', 'muted')),
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX members_user ON members (user, room);

CREATE TABLE invitations (
    room       TEXT NOT NULL,
    user       TEXT NOT NULL,
    by         TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

-- Every stored event of a room. `frame` is the JSON that clients get. `mid` is set for messages, `leaver` where a membership ended.
CREATE TABLE events (
    room   TEXT NOT NULL,
    seq    INTEGER NOT NULL,
    mid    BLOB,
    leaver TEXT NOT NULL,
    frame  BLOB NOT NULL,
    PRIMARY KEY (room, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX events_mid ON events (mid) WHERE mid IS NOT NULL;

-- The first answer to every change, for ever. `digest` is the SHA-256 of the request's content.
CREATE TABLE requests (
    sender TEXT NOT NULL,
    cmid   BLOB NOT NULL,
    digest BLOB NOT NULL,
    body   BLOB NOT NULL,
    PRIMARY KEY (sender, cmid)
) STRICT, WITHOUT ROWID;

-- The log @me of each user. `attach_*` names a room that the user came to be in by it.
CREATE TABLE notices (
    user         TEXT NOT NULL,
    seq          INTEGER NOT NULL,
    attach_room  TEXT,
    attach_epoch TEXT,
    attach_seq   INTEGER,
    frame        BLOB NOT NULL,
    PRIMARY KEY (user, seq)
) STRICT, WITHOUT ROWID;

-- `cleared` is 1 when no bytes of an upload that came to nothing are left in the blob store.
CREATE TABLE uploads (
    id         TEXT PRIMARY KEY,
    user       TEXT NOT NULL,
    room       TEXT NOT NULL,
    name       TEXT NOT NULL,
    size       INTEGER NOT NULL,
    sha256     TEXT NOT NULL,
    type       TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('open', 'finished', 'rejected', 'aborted', 'expired')),
    file       TEXT,
    created_ms INTEGER NOT NULL,
    cleared    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_user ON uploads (user, created_ms, size, state);
CREATE INDEX uploads_left ON uploads (created_ms) WHERE state <> 'finished' AND cleared = 0;

CREATE TABLE files (
    id     TEXT PRIMARY KEY,
    room   TEXT NOT NULL,
    user   TEXT NOT NULL,
    name   TEXT NOT NULL,
    size   INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    type   TEXT NOT NULL,
    ts     INTEGER NOT NULL,
    key    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
