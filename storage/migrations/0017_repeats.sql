-- How often an epoch shows a photo, beside others (kohya's repeats).
ALTER TABLE photos ADD COLUMN repeats INTEGER NOT NULL DEFAULT 1;
