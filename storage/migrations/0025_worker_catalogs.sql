-- What each worker can do; the bot reads all of it together.
CREATE TABLE worker_catalogs (
  worker TEXT PRIMARY KEY, -- its name, "" of before there were several
  body TEXT NOT NULL -- JSON
) STRICT;
INSERT INTO worker_catalogs SELECT '', body FROM catalog;
DROP TABLE catalog;
