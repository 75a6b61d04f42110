-- Moderation: how long members have been there, who is kept out, what moderators did, what was reported, what a user used up today.

-- `since` is the seq of the event by which the member came in. `unasked` is 1 in a direct room that the other one began, until one says something there.
ALTER TABLE members ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN unasked INTEGER NOT NULL DEFAULT 0;
CREATE INDEX members_standing ON members (room, role, since, user);
CREATE INDEX members_unasked ON members (user) WHERE unasked = 1;

CREATE TABLE banned (
    room TEXT NOT NULL,
    user TEXT NOT NULL,
    by   TEXT NOT NULL,
    ts   INTEGER NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX banned_user ON banned (user, room);

-- `n` counts a room's entries from 1. `actor` is empty for a report: who reported is in `reports` alone. `user` is the one concerned.
-- `detail` is a JSON object of what else belongs to the action: role, title, topic, reason, text.
CREATE TABLE audit (
    room   TEXT NOT NULL,
    n      INTEGER NOT NULL,
    ts     INTEGER NOT NULL,
    action TEXT NOT NULL,
    actor  TEXT NOT NULL,
    user   TEXT NOT NULL,
    mid    TEXT NOT NULL,
    note   TEXT NOT NULL,
    detail BLOB NOT NULL,
    PRIMARY KEY (room, n)
) STRICT, WITHOUT ROWID;

-- A report is entry `n` of its room's audit; `id` is its place among all, for the operator.
CREATE TABLE reports (
    id       INTEGER PRIMARY KEY,
    reporter TEXT NOT NULL,
    mid      TEXT NOT NULL,
    room     TEXT NOT NULL,
    n        INTEGER NOT NULL,
    UNIQUE (reporter, mid)
) STRICT;

-- How often a user did something on the newest day on which it was done. `day` is days since 1970, UTC.
CREATE TABLE allowances (
    user TEXT NOT NULL,
    what TEXT NOT NULL,
    day  INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (user, what)
) STRICT, WITHOUT ROWID;
