-- second_ms: when the last proof other than the password was given in a session.
ALTER TABLE sessions ADD COLUMN second_ms INTEGER;
UPDATE sessions SET second_ms = otp_ms;
