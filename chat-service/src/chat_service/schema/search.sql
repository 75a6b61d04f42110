-- The search index: a file of its own, made from the events and made again whenever it does not fit them. Losing it loses nothing.

-- `seq` is the mark: the room's events up to it are in the index. A room that got another epoch gets another number, and is read anew.
CREATE TABLE rooms (
    number INTEGER PRIMARY KEY,
    id     TEXT NOT NULL UNIQUE,
    epoch  TEXT NOT NULL,
    seq    INTEGER NOT NULL
) STRICT;

-- Every message that can be found. `n` grows with the message's time. `words` is what is in the index under it, needed to take it out again.
CREATE TABLE docs (
    n     INTEGER PRIMARY KEY,
    room  INTEGER NOT NULL,
    seq   INTEGER NOT NULL,
    words TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX docs_place ON docs (room, seq);

-- How often something was taken out that the segments of `terms` may still hold.
CREATE TABLE purge (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    wanted INTEGER NOT NULL
) STRICT;
INSERT INTO purge (one, wanted) VALUES (1, 0);

-- Tokens come ready made (core/terms.py): ASCII letters, digits, underscores and whatever is not ASCII.
CREATE VIRTUAL TABLE terms USING fts5 (words, content = '', detail = none, columnsize = 0, tokenize = "ascii tokenchars '_'");
