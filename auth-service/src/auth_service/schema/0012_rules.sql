-- trusted_until_ms: no second factor is asked for on the device until then. tag: the mark of the name that a recovery was begun with, by which its texts have their
-- price; '' where they have none. Codes are counted for the caps in `sends` alone.
ALTER TABLE devices ADD COLUMN trusted_until_ms INTEGER;
ALTER TABLE recoveries ADD COLUMN tag TEXT NOT NULL DEFAULT '';
DROP TABLE recovery_messages;
