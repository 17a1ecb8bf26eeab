-- A style's file has a second name in the folder of its job, and maybe a smaller copy beside it.

CREATE TRIGGER styles_results AFTER DELETE ON styles WHEN OLD.job IS NOT NULL BEGIN
  INSERT OR IGNORE INTO trash VALUES ('result', OLD.job);
END;
