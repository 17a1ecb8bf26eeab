-- The first shape of the memory. Times are unix seconds; ids of people and places are Discord's.

CREATE TABLE consents (
  id INTEGER PRIMARY KEY,
  member INTEGER NOT NULL,
  version INTEGER NOT NULL,
  via TEXT NOT NULL,
  at REAL NOT NULL
) STRICT;
CREATE INDEX consents_member ON consents (member, version);

CREATE TABLE servers (
  guild INTEGER PRIMARY KEY,
  channel INTEGER,
  log INTEGER,
  trainers TEXT NOT NULL, -- JSON list of roles
  samplers TEXT NOT NULL, -- JSON list of roles
  jobs INTEGER NOT NULL,
  minutes INTEGER NOT NULL
) STRICT;

CREATE TABLE datasets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  owner INTEGER NOT NULL,
  guild INTEGER NOT NULL,
  name TEXT NOT NULL,
  key TEXT NOT NULL, -- the name without case
  concept TEXT NOT NULL,
  "trigger" TEXT NOT NULL,
  created REAL NOT NULL,
  UNIQUE (owner, key)
) STRICT;

CREATE TABLE collecting (
  owner INTEGER NOT NULL,
  channel INTEGER NOT NULL,
  dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  PRIMARY KEY (owner, channel)
) STRICT;

CREATE TABLE photos (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  owner INTEGER NOT NULL,
  digest TEXT NOT NULL,
  phash TEXT NOT NULL, -- 16 hex digits: SQLite's integers have a sign
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  caption TEXT NOT NULL DEFAULT '',
  written INTEGER NOT NULL DEFAULT 0, -- the member wrote the caption
  warnings TEXT NOT NULL, -- JSON list
  created REAL NOT NULL,
  UNIQUE (dataset, digest)
) STRICT;
CREATE INDEX photos_digest ON photos (digest);
CREATE INDEX photos_owner ON photos (owner);

CREATE TABLE styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  owner INTEGER,
  guild INTEGER NOT NULL,
  job INTEGER UNIQUE REFERENCES jobs (id) ON DELETE SET NULL,
  name TEXT NOT NULL,
  method TEXT NOT NULL,
  family TEXT NOT NULL,
  base TEXT NOT NULL,
  "trigger" TEXT NOT NULL,
  concept TEXT NOT NULL,
  digest TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  created REAL NOT NULL
) STRICT;
CREATE INDEX styles_owner ON styles (owner);

CREATE TABLE shares (
  style INTEGER NOT NULL REFERENCES styles (id) ON DELETE CASCADE,
  guild INTEGER NOT NULL,
  PRIMARY KEY (style, guild)
) STRICT;
CREATE INDEX shares_guild ON shares (guild);

CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'queued'
    CHECK (status IN ('queued', 'running', 'paused', 'done', 'failed', 'cancelled')),
  owner INTEGER NOT NULL,
  guild INTEGER NOT NULL,
  channel INTEGER NOT NULL,
  request TEXT NOT NULL, -- JSON
  base TEXT NOT NULL,
  dataset INTEGER REFERENCES datasets (id) ON DELETE SET NULL,
  style INTEGER REFERENCES styles (id) ON DELETE SET NULL,
  private INTEGER NOT NULL,
  wish TEXT,
  wished_by INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  fence INTEGER NOT NULL DEFAULT 0,
  worker TEXT,
  lease REAL,
  error TEXT, -- JSON
  message INTEGER,
  thread INTEGER,
  posted REAL,
  created REAL NOT NULL,
  started REAL,
  ended REAL,
  purge INTEGER NOT NULL DEFAULT 0, -- its member left while it ran: remove it when it ends
  urgency INTEGER NOT NULL
    GENERATED ALWAYS AS (CASE kind WHEN 'sample' THEN 0 WHEN 'caption' THEN 1 ELSE 2 END) STORED
) STRICT;
CREATE INDEX jobs_queue ON jobs (urgency, id) WHERE status = 'queued';
CREATE INDEX jobs_running ON jobs (lease) WHERE status = 'running';
CREATE INDEX jobs_open ON jobs (id) WHERE status IN ('queued', 'running', 'paused');
CREATE INDEX jobs_owner ON jobs (owner, created);
CREATE INDEX jobs_guild ON jobs (guild);
CREATE INDEX jobs_dataset ON jobs (dataset);
CREATE INDEX jobs_style ON jobs (style);

CREATE TABLE watchers (
  job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  member INTEGER NOT NULL,
  PRIMARY KEY (job, member)
) STRICT;

CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- readers keep their place: a number is never used twice
  job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  facts TEXT NOT NULL, -- JSON
  at REAL NOT NULL
) STRICT;
CREATE INDEX events_job ON events (job, id);

CREATE TABLE cursors (
  name TEXT PRIMARY KEY,
  event INTEGER NOT NULL
) STRICT;

CREATE TABLE catalog (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  body TEXT NOT NULL -- JSON
) STRICT;

CREATE TABLE paces (
  base TEXT NOT NULL,
  method TEXT NOT NULL,
  step REAL NOT NULL,
  around REAL NOT NULL,
  runs INTEGER NOT NULL,
  PRIMARY KEY (base, method)
) STRICT;

CREATE TABLE reports (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  guild INTEGER NOT NULL,
  reporter INTEGER NOT NULL,
  job INTEGER REFERENCES jobs (id) ON DELETE SET NULL,
  message INTEGER NOT NULL,
  reason TEXT NOT NULL,
  at REAL NOT NULL
) STRICT;
CREATE INDEX reports_guild ON reports (guild);
CREATE INDEX reports_job ON reports (job);

-- Files whose row is gone. They are removed after the commit, or at the next start.
CREATE TABLE trash (
  kind TEXT NOT NULL, -- photo (by digest), copies (photos of a job), run, style
  key TEXT NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT;

-- Every status a job takes is also an event.
CREATE TRIGGER jobs_asked AFTER INSERT ON jobs BEGIN
  INSERT INTO events (job, kind, facts, at)
  VALUES (NEW.id, 'status', json_object('status', NEW.status), NEW.created);
END;
CREATE TRIGGER jobs_moved AFTER UPDATE OF status ON jobs WHEN NEW.status <> OLD.status BEGIN
  INSERT INTO events (job, kind, facts, at)
  VALUES (
    NEW.id, 'status',
    json_patch('{}', json_object('status', NEW.status, 'by', NEW.wished_by)), -- no null
    (julianday('now') - 2440587.5) * 86400.0
  );
END;

-- Events are only ever added. They go with their job, and they may forget who did it.
CREATE TRIGGER events_stay BEFORE UPDATE ON events
WHEN (NEW.id, NEW.job, NEW.kind, NEW.at) IS NOT (OLD.id, OLD.job, OLD.kind, OLD.at)
  OR NEW.facts <> json_remove(OLD.facts, '$.by')
BEGIN
  SELECT RAISE(ABORT, 'events are only ever added');
END;
CREATE TRIGGER events_remain BEFORE DELETE ON events
WHEN EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job)
BEGIN
  SELECT RAISE(ABORT, 'events go only with their job');
END;

-- What has no row any more has no file either.
CREATE TRIGGER photos_gone AFTER DELETE ON photos
WHEN NOT EXISTS (SELECT 1 FROM photos WHERE digest = OLD.digest)
BEGIN
  INSERT OR IGNORE INTO trash VALUES ('photo', OLD.digest);
END;
CREATE TRIGGER jobs_ended AFTER UPDATE OF status ON jobs
WHEN NEW.status IN ('done', 'failed', 'cancelled')
BEGIN
  INSERT OR IGNORE INTO trash VALUES ('copies', NEW.id);
END;
CREATE TRIGGER jobs_gone AFTER DELETE ON jobs BEGIN
  INSERT OR IGNORE INTO trash VALUES ('run', OLD.id);
END;
CREATE TRIGGER styles_going BEFORE DELETE ON styles BEGIN -- else the bare base would be sampled
  UPDATE jobs SET status = 'failed', error = json_object('code', 'style_unknown'),
    ended = (julianday('now') - 2440587.5) * 86400.0
  WHERE style = OLD.id AND kind = 'sample' AND status IN ('queued', 'paused');
END;
CREATE TRIGGER styles_gone AFTER DELETE ON styles BEGIN
  INSERT OR IGNORE INTO trash VALUES ('style', OLD.id);
END;
