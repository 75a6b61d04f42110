-- Invites: a registration each, without a contact; who came by it is kept as long as the account is. A registration under way has a contact or an invite.
CREATE TABLE invites (
    hash       BLOB PRIMARY KEY,
    made_ms    INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms    INTEGER,
    used_by    TEXT REFERENCES users (id) ON DELETE SET NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX invites_user ON invites (used_by) WHERE used_by IS NOT NULL;
CREATE TABLE flows_of_invites (
    id             TEXT PRIMARY KEY,
    secret_hash    BLOB NOT NULL,
    contact_kind   TEXT CHECK (contact_kind IN ('email', 'sms')),
    contact_mark   BLOB,
    sealed_contact BLOB,
    invite         BLOB,
    password_hash  TEXT NOT NULL,
    locale         TEXT NOT NULL,
    code_mark      BLOB,
    tries          INTEGER NOT NULL DEFAULT 0,
    ticket_hash    BLOB,
    created_ms     INTEGER NOT NULL,
    expires_ms     INTEGER NOT NULL,
    CHECK ((contact_mark IS NULL) <> (invite IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO flows_of_invites (id, secret_hash, contact_kind, contact_mark, sealed_contact, password_hash, locale, code_mark, tries, ticket_hash, created_ms, expires_ms)
    SELECT id, secret_hash, contact_kind, contact_mark, sealed_contact, password_hash, locale, code_mark, tries, ticket_hash, created_ms, expires_ms FROM flows;
DROP TABLE flows;
ALTER TABLE flows_of_invites RENAME TO flows;
CREATE INDEX flows_contact ON flows (contact_mark, created_ms);
CREATE INDEX flows_expiry ON flows (expires_ms);
