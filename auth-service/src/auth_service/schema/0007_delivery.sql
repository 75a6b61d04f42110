-- What the outbox needs to be delivered. A row stays until its message is with the next hop, refused for good, or of no use any more (until_ms); it is not looked
-- at before due_ms, which is moved on before each try, so that a process that dies in the middle repeats it later and not at once. message_id is the same in every try.
ALTER TABLE outbox DROP COLUMN sent_ms;
ALTER TABLE outbox ADD COLUMN queue TEXT NOT NULL DEFAULT 'codes' CHECK (queue IN ('codes', 'notices'));
ALTER TABLE outbox ADD COLUMN contact_mark BLOB NOT NULL DEFAULT x'';
ALTER TABLE outbox ADD COLUMN message_id TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN due_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN until_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET until_ms = at_ms + 86400000, message_id = lower(hex(randomblob(16)));
CREATE INDEX outbox_due ON outbox (kind, queue, due_ms);
CREATE INDEX outbox_until ON outbox (until_ms);

-- Every message of the last day that a stranger could have caused, for the caps. country is '' for mail; prefix is a keyed mark, x'' where the address does not count.
CREATE TABLE sends (
    id           INTEGER PRIMARY KEY,
    kind         TEXT NOT NULL CHECK (kind IN ('email', 'sms')),
    contact_mark BLOB NOT NULL,
    user         TEXT NOT NULL,
    prefix_mark  BLOB NOT NULL,
    country      TEXT NOT NULL,
    known        INTEGER NOT NULL,
    confirmed    INTEGER NOT NULL DEFAULT 0,
    at_ms        INTEGER NOT NULL
) STRICT;
CREATE INDEX sends_contact ON sends (contact_mark, at_ms);
CREATE INDEX sends_user ON sends (user, at_ms) WHERE user <> '';
CREATE INDEX sends_prefix ON sends (prefix_mark, at_ms) WHERE prefix_mark <> x'';
CREATE INDEX sends_country ON sends (country, at_ms);
CREATE INDEX sends_at ON sends (at_ms);

-- Contacts that the next hop refused for good, and when: two of them a day apart say that a number is gone.
CREATE TABLE delivery_failures (
    contact_mark BLOB NOT NULL,
    at_ms        INTEGER NOT NULL,
    reason       TEXT NOT NULL CHECK (reason IN ('unknown', 'stopped')),
    PRIMARY KEY (contact_mark, at_ms)
) STRICT, WITHOUT ROWID;
