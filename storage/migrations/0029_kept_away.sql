-- What keeps a worker away, if that is known: "", owner, or versions and what differs.
ALTER TABLE nodes ADD COLUMN why TEXT NOT NULL DEFAULT '';
