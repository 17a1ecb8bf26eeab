-- What a button refers to and its custom id has no room for.
CREATE TABLE drafts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  owner INTEGER NOT NULL,
  created REAL NOT NULL,
  body TEXT NOT NULL -- JSON
) STRICT;
CREATE INDEX drafts_owner ON drafts (owner);
CREATE INDEX drafts_created ON drafts (created);
