-- Backups forget the members who left, too: those that were made before a member's erasure.

CREATE TABLE identity (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  key TEXT NOT NULL -- random: whose backups a folder has
) STRICT;
INSERT INTO identity VALUES (1, lower(hex(randomblob(16))));

CREATE TABLE erasures (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- a snapshot names the last one that it knows
  member TEXT NOT NULL, -- sha256 of the key and the member's number
  at REAL NOT NULL
) STRICT;
