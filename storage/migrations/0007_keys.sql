-- Ids begin again with a new database; a key makes sure that a folder is never taken for another row's.
-- Rows of before get theirs from the time of their creation, so that an older copy has the same keys.
ALTER TABLE jobs ADD COLUMN key TEXT NOT NULL DEFAULT '';
ALTER TABLE styles ADD COLUMN key TEXT NOT NULL DEFAULT '';
UPDATE jobs SET key = printf('%014x', CAST(created * 1000000 AS INTEGER));
UPDATE styles SET key = printf('%014x', CAST(created * 1000000 AS INTEGER));

DROP TRIGGER jobs_ended;
DROP TRIGGER jobs_gone;
DROP TRIGGER styles_gone;
DROP TRIGGER styles_removed;
DROP TRIGGER styles_results;
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
