BEGIN TRANSACTION;
CREATE TABLE blocked (
  guild INTEGER NOT NULL,
  member INTEGER NOT NULL,
  at REAL NOT NULL,
  PRIMARY KEY (guild, member)
) STRICT;
INSERT INTO "blocked" VALUES(77000000000000001,100000000000000002,1764000331.25);
CREATE TABLE caption_edits (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  "trigger" TEXT NOT NULL, -- of the dataset, before
  at REAL NOT NULL
) STRICT;
INSERT INTO "caption_edits" VALUES(1,1,'olddog',1790000000.0);
CREATE TABLE catalog (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  body TEXT NOT NULL -- JSON
) STRICT;
INSERT INTO "catalog" VALUES(1,'{"bases": [{"name": "sd15", "title": "SD 1.5", "family": "sd1", "source": "a/b", "resolution": 512, "licence": "RAIL", "good": "", "present": true, "small": false, "memory": 3500, "domain": "general", "weak": "", "prediction": "", "skip": 2, "commercial": "yes", "terms": "", "seen": "", "known": true}], "methods": [{"name": "embedding", "ranks": [1, 16], "dropout": false, "word": true, "paces": false}], "captioner": "blip", "rules": [], "device": "H200", "memory": 80000, "published": 1.0}');
CREATE TABLE collecting (
  owner INTEGER NOT NULL,
  channel INTEGER NOT NULL,
  dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  PRIMARY KEY (owner, channel)
) STRICT;
INSERT INTO "collecting" VALUES(100000000000000001,88000000000000001,1);
CREATE TABLE consents (
  id INTEGER PRIMARY KEY,
  member INTEGER NOT NULL,
  version INTEGER NOT NULL,
  via TEXT NOT NULL,
  at REAL NOT NULL
, dataset INTEGER, purpose TEXT NOT NULL DEFAULT 'own_styles', bases TEXT NOT NULL DEFAULT '[]', retention_days INTEGER NOT NULL DEFAULT 0, audience TEXT NOT NULL DEFAULT 'self_and_shares', originals INTEGER NOT NULL DEFAULT 0, terms TEXT NOT NULL DEFAULT '', withdrawn REAL) STRICT;
INSERT INTO "consents" VALUES(1,100000000000000001,1,'modal',1764000000.25,NULL,'own_styles','[]',0,'self_and_shares',0,'',NULL);
INSERT INTO "consents" VALUES(2,100000000000000002,1,'modal',1764000001.25,NULL,'own_styles','[]',0,'self_and_shares',0,'',NULL);
CREATE TABLE contributors (
  dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  member INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('invited', 'joined', 'declined', 'left')),
  at REAL NOT NULL,
  PRIMARY KEY (dataset, member)
) STRICT;
INSERT INTO "contributors" VALUES(1,100000000000000002,'joined',1764000006.25);
CREATE TABLE cursors (
  name TEXT PRIMARY KEY,
  event INTEGER NOT NULL
) STRICT;
INSERT INTO "cursors" VALUES('cards',9);
INSERT INTO "cursors" VALUES('job 1',4321);
CREATE TABLE datasets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  owner INTEGER NOT NULL,
  guild INTEGER NOT NULL,
  name TEXT NOT NULL,
  key TEXT NOT NULL, -- the name without case
  concept TEXT NOT NULL,
  "trigger" TEXT NOT NULL,
  created REAL NOT NULL, kept REAL, warned REAL, attested REAL,
  UNIQUE (owner, key)
) STRICT;
INSERT INTO "datasets" VALUES(1,100000000000000001,77000000000000001,'My Dog','my dog','subject','mydog',1764000002.25,NULL,NULL,NULL);
INSERT INTO "datasets" VALUES(2,100000000000000001,77000000000000001,'tom','tom','subject','tom',1764000003.25,NULL,NULL,NULL);
INSERT INTO "datasets" VALUES(3,100000000000000002,77000000000000001,'Städte ☂','städte ☂','look','stad',1764000004.25,NULL,NULL,NULL);
CREATE TABLE decisions (
  report INTEGER NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
  decision TEXT NOT NULL,
  moderator INTEGER, -- none after they had their data deleted
  at REAL NOT NULL,
  PRIMARY KEY (report, decision)
) STRICT;
INSERT INTO "decisions" VALUES(1,'keep',100000000000000002,1764000330.25);
CREATE TABLE drafts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  owner INTEGER NOT NULL,
  created REAL NOT NULL,
  body TEXT NOT NULL -- JSON
) STRICT;
INSERT INTO "drafts" VALUES(1,100000000000000001,1764000300.25,'{"dataset": 1, "method": "lora"}');
CREATE TABLE "durations" (
  device TEXT NOT NULL,
  base TEXT NOT NULL,
  resolution INTEGER NOT NULL,
  method TEXT NOT NULL,
  concept TEXT NOT NULL,
  batch_size INTEGER NOT NULL,
  options TEXT NOT NULL,
  step REAL NOT NULL,
  photo REAL NOT NULL,
  picture REAL NOT NULL,
  overhead REAL NOT NULL,
  runs INTEGER NOT NULL,
  PRIMARY KEY (device, base, resolution, method, concept, batch_size, options)
) STRICT;
INSERT INTO "durations" VALUES('GPU','sd15',512,'lora','look',4,'prior prodigy',0.5,0.25,2.0,10.0,3);
CREATE TABLE edited_captions (
  edit INTEGER NOT NULL REFERENCES caption_edits (id) ON DELETE CASCADE,
  photo INTEGER NOT NULL REFERENCES photos (id) ON DELETE CASCADE,
  caption TEXT NOT NULL, -- before
  written INTEGER NOT NULL, -- before
  became TEXT NOT NULL,
  PRIMARY KEY (edit, photo)
) STRICT;
INSERT INTO "edited_captions" VALUES(1,1,'a dog',0,'mydog, a dog');
CREATE TABLE erasures (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- a snapshot names the last one that it knows
  member TEXT NOT NULL, -- sha256 of the key and the member's number
  at REAL NOT NULL
, photos INTEGER NOT NULL DEFAULT 0, dataset INTEGER) STRICT;
INSERT INTO "erasures" VALUES(1,'f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6',1764000320.25,0,NULL);
CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- readers keep their place: a number is never used twice
  job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  facts TEXT NOT NULL, -- JSON
  at REAL NOT NULL
) STRICT;
INSERT INTO "events" VALUES(1,1,'status','{"status":"queued"}',1764000010.375);
INSERT INTO "events" VALUES(2,1,'status','{"status":"running"}',1.79602433857100749012e+09);
INSERT INTO "events" VALUES(3,1,'status','{"status":"done"}',1.79602433857901382444e+09);
INSERT INTO "events" VALUES(4,2,'status','{"status":"queued"}',1764000010.375);
INSERT INTO "events" VALUES(5,2,'status','{"status":"running"}',1.79602433858001971243e+09);
INSERT INTO "events" VALUES(6,2,'status','{"status":"done"}',1.79602433858001971243e+09);
INSERT INTO "events" VALUES(7,3,'status','{"status":"queued"}',1764000010.375);
INSERT INTO "events" VALUES(8,3,'status','{"status":"running","by":100000000000000002}',1.79602433858001971243e+09);
INSERT INTO "events" VALUES(9,4,'status','{"status":"queued"}',1764000010.375);
INSERT INTO "events" VALUES(10,5,'status','{"status":"queued"}',1764000010.375);
INSERT INTO "events" VALUES(11,5,'status','{"status":"failed"}',1.79602433858001971243e+09);
INSERT INTO "events" VALUES(12,6,'status','{"status":"queued"}',1764000010.375);
INSERT INTO "events" VALUES(13,6,'status','{"status":"paused"}',1.79602433858098530774e+09);
INSERT INTO "events" VALUES(14,7,'status','{"status":"queued"}',1764000010.375);
INSERT INTO "events" VALUES(15,7,'status','{"status":"cancelled","by":100000000000000001}',1.79602433858098530774e+09);
INSERT INTO "events" VALUES(16,1,'started','{"step": 0, "steps": 60, "device": "CPU, 2 cores", "resumed": false}',1764000030.25);
INSERT INTO "events" VALUES(17,1,'progress','{"step": 10, "steps": 60, "loss": 0.12, "speed": 4.0, "eta": 12.5}',1764000030.25);
INSERT INTO "events" VALUES(18,1,'checkpoint','{"step": 30, "file": "000030.safetensors"}',1764000030.25);
CREATE TABLE identity (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  key TEXT NOT NULL -- random: whose backups a folder has
) STRICT;
INSERT INTO "identity" VALUES(1,'0123456789abcdef0123456789abcdef');
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
  requested TEXT,
  requested_by INTEGER,
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
, key TEXT NOT NULL DEFAULT '', interruptions INTEGER NOT NULL DEFAULT 0, withdrawn INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "jobs" VALUES(1,'train','done',100000000000000001,77000000000000001,88000000000000001,'{"base":"embedded","batch":4,"concept":"subject","dial":"quick","dropout":0.0,"keep":1.0,"masked":false,"method":"lora","most":20000000,"name":"my dog","offset":0.05,"optimizer":"adamw","prior":0,"rank":8,"rate":0.001,"seed":7,"shuffle":false,"silence":0.0,"steps":60,"trigger":"mydog","word":"dog","file_bytes":900000,"other_datasets":[]}','embedded',1,1,0,NULL,NULL,1,1,'cpu',NULL,NULL,901,902,1764000082.25,1764000010.375,1764000020.25,1764000081.25,0,'06445942008f58',0,0);
INSERT INTO "jobs" VALUES(2,'sample','done',100000000000000002,77000000000000001,88000000000000001,'{"base": "embedded", "count": 2, "method": "", "negative": "", "prompt": "a mydog emoji", "seed": 3, "size": 0, "steps": 20, "strength": 1.0, "trigger": ""}','embedded',NULL,1,0,NULL,NULL,0,1,NULL,NULL,NULL,903,NULL,1764000092.25,1764000010.375,1764000090.25,1764000091.25,0,'06445942008f58',0,0);
INSERT INTO "jobs" VALUES(3,'train','running',100000000000000001,77000000000000001,88000000000000001,'{"base":"embedded","batch":4,"concept":"subject","dial":"quick","dropout":0.0,"keep":1.0,"masked":false,"method":"lora","most":20000000,"name":"both","offset":0.05,"optimizer":"adamw","prior":0,"rank":8,"rate":0.001,"seed":8,"shuffle":false,"silence":0.0,"steps":60,"trigger":"mydog","word":"dog","file_bytes":900000,"other_datasets":[{"concept":"subject","dataset":2,"trigger":"tom","word":"cat"}]}','embedded',1,NULL,0,'pause',100000000000000002,2,2,'cpu',1764000130.25,NULL,NULL,NULL,NULL,1764000010.375,1764000100.25,NULL,0,'06445942008f58',0,0);
INSERT INTO "jobs" VALUES(4,'caption','queued',100000000000000001,77000000000000001,88000000000000001,'{"captioner": "blip", "photos": [2], "trigger": "mydog"}','embedded',1,NULL,0,NULL,NULL,0,0,NULL,NULL,NULL,NULL,NULL,NULL,1764000010.375,NULL,NULL,0,'06445942008f58',0,0);
INSERT INTO "jobs" VALUES(5,'train','failed',100000000000000002,77000000000000001,88000000000000001,'{"base":"embedded","batch":4,"concept":"subject","dial":"best","dropout":0.0,"keep":1.0,"masked":false,"method":"lora","most":20000000,"name":"Städte ☂","offset":0.05,"optimizer":"adamw","prior":0,"rank":8,"rate":0.001,"seed":7,"shuffle":false,"silence":0.0,"steps":60,"trigger":"mydog","word":"dog","file_bytes":900000,"other_datasets":[]}','embedded',3,NULL,1,NULL,NULL,0,0,NULL,NULL,'{"code": "out_of_memory", "needed": 9000}',NULL,NULL,NULL,1764000010.375,NULL,1764000120.25,0,'06445942008f58',0,0);
INSERT INTO "jobs" VALUES(6,'train','paused',100000000000000002,77000000000000001,88000000000000001,'{"base":"embedded","batch":4,"concept":"subject","dial":"quick","dropout":0.0,"keep":1.0,"masked":false,"method":"lora","most":20000000,"name":"later","offset":0.05,"optimizer":"adamw","prior":0,"rank":8,"rate":0.001,"seed":7,"shuffle":false,"silence":0.0,"steps":60,"trigger":"mydog","word":"dog","file_bytes":100000,"other_datasets":[]}','embedded',3,NULL,0,NULL,NULL,0,0,NULL,NULL,NULL,NULL,NULL,NULL,1764000010.375,NULL,NULL,0,'06445942008f58',0,0);
INSERT INTO "jobs" VALUES(7,'train','cancelled',100000000000000001,77000000000000001,88000000000000001,'{"base":"embedded","batch":4,"concept":"subject","dial":"quick","dropout":0.0,"keep":1.0,"masked":false,"method":"lora","most":20000000,"name":"my dog","offset":0.05,"optimizer":"adamw","prior":0,"rank":8,"rate":0.001,"seed":7,"shuffle":false,"silence":0.0,"steps":60,"trigger":"mydog","word":"dog","file_bytes":900000,"other_datasets":[]}','embedded',2,NULL,0,'cancel',100000000000000001,0,0,NULL,NULL,NULL,NULL,NULL,NULL,1764000010.375,NULL,1764000121.25,0,'06445942008f58',0,0);
CREATE TABLE likes (
  job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  member INTEGER NOT NULL,
  liked INTEGER NOT NULL, -- 1 thumb up, 0 thumb down
  at REAL NOT NULL,
  PRIMARY KEY (job, member)
) STRICT;
INSERT INTO "likes" VALUES(2,100000000000000001,1,1790000000.0);
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
  created REAL NOT NULL, contributor INTEGER NOT NULL DEFAULT 0, found_framing TEXT, chosen_framing TEXT, measures TEXT NOT NULL DEFAULT 'null', shot INTEGER NOT NULL DEFAULT 0, accepted INTEGER NOT NULL DEFAULT 0, repeats INTEGER NOT NULL DEFAULT 1, examination TEXT NOT NULL DEFAULT 'null', plain_digest TEXT NOT NULL DEFAULT '',
  UNIQUE (dataset, digest)
) STRICT;
INSERT INTO "photos" VALUES(1,1,100000000000000001,'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1','ff00ff00ff00ff00',640,480,'a dog on a "sofa"; it''s wet',1,'[]',1764000005.25,100000000000000001,NULL,NULL,'null',0,0,1,'null','');
INSERT INTO "photos" VALUES(2,1,100000000000000001,'b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2','ff00ff00ff00ff00',640,480,'',0,'["blurred"]',1764000005.25,100000000000000001,NULL,NULL,'null',0,0,1,'null','');
INSERT INTO "photos" VALUES(3,2,100000000000000001,'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1','ff00ff00ff00ff00',640,480,'a cat',0,'[]',1764000005.25,100000000000000001,NULL,NULL,'null',0,0,1,'null','');
INSERT INTO "photos" VALUES(4,3,100000000000000002,'c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3','ff00ff00ff00ff00',640,480,'eine Straße
bei Nacht',1,'["tiny", "duplicate"]',1764000005.25,100000000000000002,NULL,NULL,'null',0,0,1,'null','');
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
  created REAL NOT NULL, dataset INTEGER REFERENCES datasets (id) ON DELETE CASCADE, study INTEGER REFERENCES studies (id) ON DELETE CASCADE,
  UNIQUE (job, event, kind, member)
) STRICT;
INSERT INTO "posts" VALUES(1,'result',100000000000000001,77000000000000001,1,7,NULL,'kept',3,'[["thread", "locked"], ["channel", "forbidden"], ["member", "closed"]]',0,NULL,NULL,1764000310.25,NULL,NULL);
INSERT INTO "posts" VALUES(2,'report',0,77000000000000001,2,0,1,'done',0,'[]',0,88000000000000001,904,1764000311.25,NULL,NULL);
CREATE TABLE reports (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  guild INTEGER NOT NULL,
  reporter INTEGER NOT NULL,
  job INTEGER REFERENCES jobs (id) ON DELETE SET NULL,
  message INTEGER NOT NULL,
  reason TEXT NOT NULL,
  at REAL NOT NULL
, channel INTEGER) STRICT;
INSERT INTO "reports" VALUES(1,77000000000000001,100000000000000001,2,903,'rude; "really"',1764000200.25,NULL);
CREATE TABLE servers (
  guild INTEGER PRIMARY KEY,
  channel INTEGER,
  log INTEGER,
  trainers TEXT NOT NULL, -- JSON list of roles
  samplers TEXT NOT NULL, -- JSON list of roles
  jobs INTEGER NOT NULL,
  minutes INTEGER NOT NULL
) STRICT;
INSERT INTO "servers" VALUES(77000000000000001,88000000000000001,NULL,'[5]','[]',5,90);
CREATE TABLE shares (
  style INTEGER NOT NULL REFERENCES styles (id) ON DELETE CASCADE,
  guild INTEGER NOT NULL,
  PRIMARY KEY (style, guild)
) STRICT;
INSERT INTO "shares" VALUES(1,77000000000000001);
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
INSERT INTO "studies" VALUES(1,'0123456789abcdef0123456789abcdef',100000000000000002,77000000000000001,88000000000000001,'Which one is better?',24.0,'open',0,1790000000.0,1790086400.0,'null');
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
INSERT INTO "study_pairs" VALUES(1,1,'a dog',7,2,2,0,0);
INSERT INTO "study_pairs" VALUES(2,1,'a dog',7,2,2,0,1);
CREATE TABLE study_sides (
  study INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
  side INTEGER NOT NULL CHECK (side IN (0, 1)),
  style INTEGER REFERENCES styles (id) ON DELETE SET NULL, -- none is the base alone
  name TEXT NOT NULL,
  strength REAL NOT NULL,
  PRIMARY KEY (study, side)
) STRICT;
INSERT INTO "study_sides" VALUES(1,0,1,'my dog',1.0);
INSERT INTO "study_sides" VALUES(1,1,NULL,'the base alone',1.0);
CREATE TABLE style_contributors (
  style INTEGER NOT NULL REFERENCES styles (id) ON DELETE CASCADE,
  dataset INTEGER NOT NULL, -- which may be gone
  member INTEGER NOT NULL,
  PRIMARY KEY (style, dataset, member)
) STRICT;
INSERT INTO "style_contributors" VALUES(1,1,100000000000000001);
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
, whole INTEGER NOT NULL DEFAULT 0, removed REAL, key TEXT NOT NULL DEFAULT '', checkpoint INTEGER) STRICT;
INSERT INTO "styles" VALUES(1,100000000000000001,77000000000000001,1,'my dog','lora','sd1','embedded','mydog','subject','d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4',900000,1764000080.75,0,NULL,'064459463265b0',NULL);
CREATE TABLE trash (
  kind TEXT NOT NULL, -- photo (by digest), copies (photos of a job), run, style
  key TEXT NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT;
INSERT INTO "trash" VALUES('copies','1');
INSERT INTO "trash" VALUES('copies','2');
INSERT INTO "trash" VALUES('copies','5');
INSERT INTO "trash" VALUES('copies','7');
INSERT INTO "trash" VALUES('photo','e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5');
CREATE TABLE uploads (
  digest TEXT NOT NULL, -- sha256 of the file as it came, hex
  photo INTEGER NOT NULL REFERENCES photos (id) ON DELETE CASCADE,
  PRIMARY KEY (digest, photo)
) STRICT, WITHOUT ROWID;
INSERT INTO "uploads" VALUES('d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4',2);
CREATE TABLE votes ( -- they go when the study closes: its result has no names
  pair INTEGER NOT NULL REFERENCES study_pairs (id) ON DELETE CASCADE,
  member INTEGER NOT NULL,
  choice INTEGER NOT NULL CHECK (choice IN (0, 1, 2)), -- the first side, the second, no difference
  at REAL NOT NULL,
  PRIMARY KEY (pair, member)
) STRICT;
INSERT INTO "votes" VALUES(1,100000000000000001,0,1790000100.0);
INSERT INTO "votes" VALUES(2,100000000000000001,0,1790000100.0);
CREATE TABLE watchers (
  job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  member INTEGER NOT NULL,
  PRIMARY KEY (job, member)
) STRICT;
INSERT INTO "watchers" VALUES(3,100000000000000002);
CREATE INDEX consents_member ON consents (member, version);
CREATE INDEX photos_digest ON photos (digest);
CREATE INDEX photos_owner ON photos (owner);
CREATE INDEX styles_owner ON styles (owner);
CREATE INDEX shares_guild ON shares (guild);
CREATE INDEX jobs_queue ON jobs (urgency, id) WHERE status = 'queued';
CREATE INDEX jobs_running ON jobs (lease) WHERE status = 'running';
CREATE INDEX jobs_open ON jobs (id) WHERE status IN ('queued', 'running', 'paused');
CREATE INDEX jobs_owner ON jobs (owner, created);
CREATE INDEX jobs_guild ON jobs (guild);
CREATE INDEX jobs_dataset ON jobs (dataset);
CREATE INDEX jobs_style ON jobs (style);
CREATE INDEX events_job ON events (job, id);
CREATE INDEX reports_guild ON reports (guild);
CREATE INDEX reports_job ON reports (job);
CREATE TRIGGER jobs_asked AFTER INSERT ON jobs BEGIN
  INSERT INTO events (job, kind, facts, at)
  VALUES (NEW.id, 'status', json_object('status', NEW.status), NEW.created);
END;
CREATE TRIGGER jobs_moved AFTER UPDATE OF status ON jobs WHEN NEW.status <> OLD.status BEGIN
  INSERT INTO events (job, kind, facts, at)
  VALUES (
    NEW.id, 'status',
    json_patch('{}', json_object('status', NEW.status, 'by', NEW.requested_by)), -- no null
    (julianday('now') - 2440587.5) * 86400.0
  );
END;
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
CREATE TRIGGER photos_gone AFTER DELETE ON photos
WHEN NOT EXISTS (SELECT 1 FROM photos WHERE digest = OLD.digest)
BEGIN
  INSERT OR IGNORE INTO trash VALUES ('photo', OLD.digest);
END;
CREATE TRIGGER styles_going BEFORE DELETE ON styles BEGIN -- else the bare base would be sampled
  UPDATE jobs SET status = 'failed', error = json_object('code', 'style_unknown'),
    ended = (julianday('now') - 2440587.5) * 86400.0
  WHERE style = OLD.id AND kind = 'sample' AND status IN ('queued', 'paused');
END;
CREATE INDEX drafts_owner ON drafts (owner);
CREATE INDEX drafts_created ON drafts (created);
CREATE TRIGGER jobs_ended AFTER UPDATE OF status ON jobs
WHEN NEW.status IN ('done', 'failed', 'cancelled')
BEGIN
  INSERT OR IGNORE INTO trash VALUES ('copies', NEW.id || '-' || NEW.key);
END;
CREATE TRIGGER jobs_gone AFTER DELETE ON jobs BEGIN
  INSERT OR IGNORE INTO trash VALUES ('run', OLD.id || '-' || OLD.key);
END;
CREATE TRIGGER styles_gone AFTER DELETE ON styles BEGIN
  INSERT OR IGNORE INTO trash VALUES ('style', OLD.id || '-' || OLD.key);
END;
CREATE TRIGGER styles_removed AFTER UPDATE OF removed ON styles BEGIN
  INSERT OR IGNORE INTO trash VALUES ('style', NEW.id || '-' || NEW.key);
END;
CREATE TRIGGER styles_results AFTER DELETE ON styles WHEN OLD.job IS NOT NULL BEGIN
  INSERT OR IGNORE INTO trash
  SELECT 'result', id || '-' || key FROM jobs WHERE id = OLD.job;
END;
CREATE INDEX posts_open ON posts (state, member) WHERE state <> 'done';
CREATE INDEX posts_report ON posts (report);
CREATE INDEX posts_message ON posts (message);
CREATE INDEX decisions_moderator ON decisions (moderator);
CREATE INDEX blocked_member ON blocked (member);
CREATE INDEX caption_edits_dataset ON caption_edits (dataset);
CREATE INDEX edited_captions_photo ON edited_captions (photo);
CREATE INDEX uploads_photo ON uploads (photo);
CREATE INDEX contributors_member ON contributors (member);
CREATE INDEX photos_contributor ON photos (contributor);
CREATE INDEX style_contributors_member ON style_contributors (member);
CREATE INDEX style_contributors_dataset ON style_contributors (dataset);
CREATE TRIGGER jobs_withdrawn AFTER UPDATE OF status ON jobs
WHEN NEW.withdrawn AND NEW.status IN ('done', 'failed', 'cancelled')
BEGIN
  INSERT OR IGNORE INTO trash VALUES ('run', NEW.id || '-' || NEW.key);
END;
CREATE INDEX posts_dataset ON posts (dataset);
CREATE INDEX likes_member ON likes (member);
CREATE INDEX studies_owner ON studies (owner);
CREATE INDEX studies_guild ON studies (guild);
CREATE INDEX studies_due ON studies (state) WHERE NOT retired;
CREATE INDEX study_sides_style ON study_sides (style);
CREATE INDEX study_pairs_study ON study_pairs (study);
CREATE INDEX study_pairs_first ON study_pairs (first);
CREATE INDEX study_pairs_second ON study_pairs (second);
CREATE INDEX votes_member ON votes (member);
CREATE INDEX posts_study ON posts (study);
CREATE TRIGGER studies_style_gone BEFORE DELETE ON styles BEGIN
  UPDATE studies SET state = 'withdrawn' WHERE state IN ('drawing', 'open')
    AND id IN (SELECT study FROM study_sides WHERE style = OLD.id);
END;
CREATE TRIGGER studies_style_unshared AFTER DELETE ON shares BEGIN
  UPDATE studies SET state = 'withdrawn' WHERE state IN ('drawing', 'open') AND guild = OLD.guild
    AND id IN (SELECT study FROM study_sides WHERE style = OLD.style)
    AND owner IS NOT (SELECT owner FROM styles WHERE id = OLD.style);
END;
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
CREATE TRIGGER styles_kept BEFORE DELETE ON styles BEGIN
  INSERT OR IGNORE INTO trash
  SELECT what.column1, j.id || '-' || j.key FROM jobs AS j, (VALUES ('kept'), ('result')) AS what
  WHERE j.style = OLD.id AND j.kind = 'train';
END;
CREATE TRIGGER datasets_kept BEFORE DELETE ON datasets BEGIN
  INSERT OR IGNORE INTO trash SELECT 'kept', id || '-' || key FROM jobs
  WHERE kind = 'train' AND style IS NOT NULL AND (
    dataset = OLD.id OR OLD.id IN (
      SELECT json_extract(other.value, '$.dataset')
      FROM json_each(jobs.request, '$.other_datasets') AS other));
END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('datasets',3);
INSERT INTO "sqlite_sequence" VALUES('photos',4);
INSERT INTO "sqlite_sequence" VALUES('events',18);
INSERT INTO "sqlite_sequence" VALUES('jobs',7);
INSERT INTO "sqlite_sequence" VALUES('styles',1);
INSERT INTO "sqlite_sequence" VALUES('reports',1);
INSERT INTO "sqlite_sequence" VALUES('drafts',1);
INSERT INTO "sqlite_sequence" VALUES('posts',2);
INSERT INTO "sqlite_sequence" VALUES('erasures',1);
INSERT INTO "sqlite_sequence" VALUES('caption_edits',1);
INSERT INTO "sqlite_sequence" VALUES('studies',1);
INSERT INTO "sqlite_sequence" VALUES('study_pairs',2);
COMMIT;
PRAGMA user_version = 22;
