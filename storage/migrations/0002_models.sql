-- Whole models are large: which styles they are, and when the file of one was removed.

ALTER TABLE styles ADD COLUMN whole INTEGER NOT NULL DEFAULT 0;
ALTER TABLE styles ADD COLUMN removed REAL;

CREATE TRIGGER styles_removed AFTER UPDATE OF removed ON styles BEGIN
  INSERT OR IGNORE INTO trash VALUES ('style', NEW.id);
END;
