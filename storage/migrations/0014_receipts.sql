-- A consent is a receipt: what for, with which bases, for how long, who may use it, in which words.
ALTER TABLE consents ADD COLUMN dataset INTEGER; -- another member's, that it is for; else for one's own
ALTER TABLE consents ADD COLUMN purpose TEXT NOT NULL DEFAULT 'own_styles';
ALTER TABLE consents ADD COLUMN bases TEXT NOT NULL DEFAULT '[]'; -- JSON list of those that were installed
ALTER TABLE consents ADD COLUMN retention_days INTEGER NOT NULL DEFAULT 0; -- without use; 0 is until deleted
ALTER TABLE consents ADD COLUMN audience TEXT NOT NULL DEFAULT 'self_and_shares';
ALTER TABLE consents ADD COLUMN originals INTEGER NOT NULL DEFAULT 0; -- the dataset's owner may export them
ALTER TABLE consents ADD COLUMN terms TEXT NOT NULL DEFAULT ''; -- the words that were shown
ALTER TABLE consents ADD COLUMN withdrawn REAL;

-- Members who were invited to add photos to another's dataset.
CREATE TABLE contributors (
  dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  member INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('invited', 'joined', 'declined', 'left')),
  at REAL NOT NULL,
  PRIMARY KEY (dataset, member)
) STRICT;
CREATE INDEX contributors_member ON contributors (member);
ALTER TABLE photos ADD COLUMN contributor INTEGER NOT NULL DEFAULT 0; -- whose photo it is
UPDATE photos SET contributor = owner;
CREATE INDEX photos_contributor ON photos (contributor);

-- Whose photos a style was trained on.
CREATE TABLE style_contributors (
  style INTEGER NOT NULL REFERENCES styles (id) ON DELETE CASCADE,
  dataset INTEGER NOT NULL, -- which may be gone
  member INTEGER NOT NULL,
  PRIMARY KEY (style, dataset, member)
) STRICT;
CREATE INDEX style_contributors_member ON style_contributors (member);
CREATE INDEX style_contributors_dataset ON style_contributors (dataset);
INSERT INTO style_contributors
SELECT s.id, j.dataset, j.owner FROM styles AS s JOIN jobs AS j ON j.id = s.job
WHERE j.dataset IS NOT NULL;
INSERT OR IGNORE INTO style_contributors
SELECT s.id, json_extract(other.value, '$.dataset'), j.owner
FROM styles AS s JOIN jobs AS j ON j.id = s.job,
  json_each(j.request, '$.other_datasets') AS other
WHERE json_extract(other.value, '$.dataset') IS NOT NULL;

-- A job whose photos somebody took back ends, and its folder goes.
ALTER TABLE jobs ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;
CREATE TRIGGER jobs_withdrawn AFTER UPDATE OF status ON jobs
WHEN NEW.withdrawn AND NEW.status IN ('done', 'failed', 'cancelled')
BEGIN
  INSERT OR IGNORE INTO trash VALUES ('run', NEW.id || '-' || NEW.key);
END;

-- Photos that nobody uses are deleted after some time, and their owner is warned before.
ALTER TABLE datasets ADD COLUMN kept REAL; -- when their owner asked to keep them
ALTER TABLE datasets ADD COLUMN warned REAL; -- when their owner was warned
ALTER TABLE posts ADD COLUMN dataset INTEGER REFERENCES datasets (id) ON DELETE CASCADE;
CREATE INDEX posts_dataset ON posts (dataset);

-- Backups forget photos whose consent was withdrawn, too.
ALTER TABLE erasures ADD COLUMN photos INTEGER NOT NULL DEFAULT 0; -- only photos go, not the member
ALTER TABLE erasures ADD COLUMN dataset INTEGER; -- only those in it
