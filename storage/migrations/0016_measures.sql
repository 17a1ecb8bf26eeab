-- What was measured on a photo, which others are of the same shot, and whether its owner keeps it anyway.
ALTER TABLE photos ADD COLUMN measures TEXT NOT NULL DEFAULT 'null'; -- JSON object; null was never measured
ALTER TABLE photos ADD COLUMN shot INTEGER NOT NULL DEFAULT 0; -- the same for photos of the same shot; 0 is alone
ALTER TABLE photos ADD COLUMN accepted INTEGER NOT NULL DEFAULT 0; -- kept against advice
