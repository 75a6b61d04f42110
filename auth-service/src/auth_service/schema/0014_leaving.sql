-- deletes_ms: the account is going to be deleted then; 0: it is not.
ALTER TABLE users ADD COLUMN deletes_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX users_deleting ON users (deletes_ms) WHERE deletes_ms > 0;

-- Names of deleted accounts, which nobody may take before until_ms: who reads one in an old conversation would take its new owner for the old one.
CREATE TABLE released_names (
    skeleton TEXT PRIMARY KEY,
    until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The proved contacts of everybody who is banned now, past the end of their accounts. `user` refers to nothing for that reason.
CREATE TABLE banned_contacts (
    mark BLOB NOT NULL,
    user TEXT NOT NULL,
    PRIMARY KEY (mark, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX banned_contacts_user ON banned_contacts (user);

-- All that is stored of an account, for its owner to fetch until until_ms; sealed NULL: it is being put together.
CREATE TABLE exports (
    user     TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    asked_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    sealed   BLOB
) STRICT, WITHOUT ROWID;
