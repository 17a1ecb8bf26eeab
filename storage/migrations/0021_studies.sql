-- Blind comparisons: two ways to draw the same prompts and seeds, judged by a server's members.
CREATE TABLE studies (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL, -- random: orders pairs and sides for each voter
  owner INTEGER NOT NULL,
  guild INTEGER NOT NULL,
  channel INTEGER NOT NULL, -- where it is posted
  question TEXT NOT NULL, -- that voters answer
  hours REAL NOT NULL, -- that voting takes
  state TEXT NOT NULL DEFAULT 'drawing'
    CHECK (state IN ('drawing', 'open', 'closed', 'failed', 'withdrawn')),
  retired INTEGER NOT NULL DEFAULT 0, -- its post says that it takes no votes any more
  created REAL NOT NULL,
  closes REAL, -- once it is open
  result TEXT NOT NULL DEFAULT 'null' -- JSON: ballots without names, or why it failed
) STRICT;
CREATE INDEX studies_owner ON studies (owner);
CREATE INDEX studies_guild ON studies (guild);
CREATE INDEX studies_due ON studies (state) WHERE NOT retired;
CREATE TABLE study_sides (
  study INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
  side INTEGER NOT NULL CHECK (side IN (0, 1)),
  style INTEGER REFERENCES styles (id) ON DELETE SET NULL, -- none is the base alone
  name TEXT NOT NULL,
  strength REAL NOT NULL,
  PRIMARY KEY (study, side)
) STRICT;
CREATE INDEX study_sides_style ON study_sides (style);
CREATE TABLE study_pairs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  study INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
  prompt TEXT NOT NULL, -- as voters read it
  seed INTEGER NOT NULL,
  first INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  second INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  picture INTEGER NOT NULL, -- its number in both jobs
  attention INTEGER NOT NULL -- a picture beside noise, to set aside who does not look
) STRICT;
CREATE INDEX study_pairs_study ON study_pairs (study);
CREATE INDEX study_pairs_first ON study_pairs (first);
CREATE INDEX study_pairs_second ON study_pairs (second);
CREATE TABLE votes ( -- they go when the study closes: its result has no names
  pair INTEGER NOT NULL REFERENCES study_pairs (id) ON DELETE CASCADE,
  member INTEGER NOT NULL,
  choice INTEGER NOT NULL CHECK (choice IN (0, 1, 2)), -- the first side, the second, no difference
  at REAL NOT NULL,
  PRIMARY KEY (pair, member)
) STRICT;
CREATE INDEX votes_member ON votes (member);
ALTER TABLE posts ADD COLUMN study INTEGER REFERENCES studies (id) ON DELETE CASCADE;
CREATE INDEX posts_study ON posts (study);

-- Without one of its styles a study ends: when the style is deleted, or taken from its server.
CREATE TRIGGER studies_style_gone BEFORE DELETE ON styles BEGIN
  UPDATE studies SET state = 'withdrawn' WHERE state IN ('drawing', 'open')
    AND id IN (SELECT study FROM study_sides WHERE style = OLD.id);
END;
CREATE TRIGGER studies_style_unshared AFTER DELETE ON shares BEGIN
  UPDATE studies SET state = 'withdrawn' WHERE state IN ('drawing', 'open') AND guild = OLD.guild
    AND id IN (SELECT study FROM study_sides WHERE style = OLD.style)
    AND owner IS NOT (SELECT owner FROM styles WHERE id = OLD.style);
END;
-- Its pictures and votes go at once.
CREATE TRIGGER studies_ended AFTER UPDATE OF state ON studies
WHEN NEW.state IN ('withdrawn', 'failed')
BEGIN
  UPDATE jobs SET purge = 1, requested = 'cancel' WHERE status = 'running' AND id IN (
    SELECT first FROM study_pairs WHERE study = NEW.id
    UNION SELECT second FROM study_pairs WHERE study = NEW.id);
  DELETE FROM jobs WHERE status <> 'running' AND id IN (
    SELECT first FROM study_pairs WHERE study = NEW.id
    UNION SELECT second FROM study_pairs WHERE study = NEW.id);
  DELETE FROM study_pairs WHERE study = NEW.id;
END;
