-- What the bot has to tell, from before it is posted until somebody has it.
CREATE TABLE posts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  member INTEGER NOT NULL, -- who gets it where no channel takes it
  guild INTEGER NOT NULL,
  job INTEGER REFERENCES jobs (id) ON DELETE CASCADE,
  event INTEGER NOT NULL, -- that it tells; 0 for none
  report INTEGER REFERENCES reports (id) ON DELETE CASCADE,
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'kept', 'done')),
  rung INTEGER NOT NULL DEFAULT 0, -- how many places have refused it
  refusals TEXT NOT NULL DEFAULT '[]', -- JSON list of [place, reason]
  uncertain INTEGER NOT NULL DEFAULT 0, -- it was sent and not answered: it may be there
  channel INTEGER, -- where it was posted
  message INTEGER,
  created REAL NOT NULL,
  UNIQUE (job, event, kind, member)
) STRICT;
CREATE INDEX posts_open ON posts (state, member) WHERE state <> 'done';
CREATE INDEX posts_report ON posts (report);
CREATE INDEX posts_message ON posts (message);
