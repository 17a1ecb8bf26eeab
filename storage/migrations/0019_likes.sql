-- What members think of pictures that a style drew: one thumb a member and job.
CREATE TABLE likes (
  job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  member INTEGER NOT NULL,
  liked INTEGER NOT NULL, -- 1 thumb up, 0 thumb down
  at REAL NOT NULL,
  PRIMARY KEY (job, member)
) STRICT;
CREATE INDEX likes_member ON likes (member);
