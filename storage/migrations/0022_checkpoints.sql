-- A style is of one checkpoint of its training. The others are kept for a while, to choose from.
ALTER TABLE styles ADD COLUMN checkpoint INTEGER; -- its step, if its owner chose it
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
