-- What nets found in a photo, and when a dataset's owner attested that the people in it agree.
ALTER TABLE photos ADD COLUMN examination TEXT NOT NULL DEFAULT 'null'; -- JSON object; null was not examined
ALTER TABLE datasets ADD COLUMN attested REAL;
