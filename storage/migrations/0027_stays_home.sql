-- Members and servers whose photos stay on the main machine, and the jobs that do because of them.
CREATE TABLE stays_home (
  id INTEGER PRIMARY KEY, -- a member's or a server's
  at REAL NOT NULL
) STRICT;
ALTER TABLE jobs ADD COLUMN stays_home INTEGER NOT NULL DEFAULT 0;
