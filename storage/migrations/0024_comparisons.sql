-- Comparisons: the same photos trained with several recipes, as one thing.
CREATE TABLE comparisons (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('compare', 'sweep')),
  owner INTEGER NOT NULL,
  guild INTEGER NOT NULL,
  channel INTEGER NOT NULL, -- where its card is
  dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  name TEXT NOT NULL, -- of the dataset
  shares TEXT NOT NULL, -- JSON list: what part of its steps an entry has after each round
  state TEXT NOT NULL DEFAULT 'training'
    CHECK (state IN ('training', 'judging', 'done', 'failed', 'cancelled')),
  round INTEGER NOT NULL DEFAULT 0,
  judging INTEGER REFERENCES jobs (id) ON DELETE SET NULL, -- the job that draws and grades
  result TEXT NOT NULL DEFAULT 'null', -- JSON: more that was measured, or why it failed
  retired INTEGER NOT NULL DEFAULT 0, -- its card shows how it ended
  created REAL NOT NULL,
  ended REAL
) STRICT;
CREATE INDEX comparisons_owner ON comparisons (owner);
CREATE INDEX comparisons_dataset ON comparisons (dataset);
CREATE INDEX comparisons_judging ON comparisons (judging);
CREATE INDEX comparisons_due ON comparisons (state) WHERE NOT retired;
CREATE TABLE comparison_entries (
  comparison INTEGER NOT NULL REFERENCES comparisons (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  label TEXT NOT NULL, -- what tells it from the others, in a few words
  base TEXT NOT NULL,
  request TEXT NOT NULL, -- JSON: the whole training
  job INTEGER REFERENCES jobs (id) ON DELETE SET NULL, -- its training in the round it was last in
  round INTEGER NOT NULL DEFAULT -1, -- that one; -1 before the first
  out INTEGER, -- the round after which it did not go on
  grades TEXT NOT NULL DEFAULT 'null', -- JSON, of its last round
  PRIMARY KEY (comparison, number)
) STRICT;
CREATE INDEX comparison_entries_job ON comparison_entries (job);
ALTER TABLE jobs ADD COLUMN comparison INTEGER REFERENCES comparisons (id) ON DELETE SET NULL;
CREATE INDEX jobs_comparison ON jobs (comparison);
ALTER TABLE posts ADD COLUMN comparison INTEGER REFERENCES comparisons (id) ON DELETE CASCADE;
CREATE INDEX posts_comparison ON posts (comparison);

-- With it go its pictures and the photos that they are compared with. Its styles stay, and nothing
-- more is trained.
CREATE TRIGGER comparisons_going BEFORE DELETE ON comparisons BEGIN
  INSERT OR IGNORE INTO trash SELECT 'copies', id || '-' || key FROM jobs
  WHERE comparison = OLD.id AND kind = 'grade' AND status = 'running';
  UPDATE jobs SET purge = 1, requested = 'cancel'
  WHERE comparison = OLD.id AND kind = 'grade' AND status = 'running';
  DELETE FROM jobs WHERE comparison = OLD.id AND kind = 'grade' AND status <> 'running';
  UPDATE jobs SET requested = 'cancel' WHERE comparison = OLD.id AND status = 'running';
  UPDATE jobs SET status = 'cancelled', ended = (julianday('now') - 2440587.5) * 86400.0
  WHERE comparison = OLD.id AND status IN ('queued', 'paused');
END;
