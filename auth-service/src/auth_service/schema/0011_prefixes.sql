-- The keyed mark of the prefix that a session was last used from, by login or refresh: a change is written to the audit log.
ALTER TABLE sessions ADD COLUMN prefix_mark BLOB;
