-- What captions were before they were changed together, for Undo.
CREATE TABLE caption_edits (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  "trigger" TEXT NOT NULL, -- of the dataset, before
  at REAL NOT NULL
) STRICT;
CREATE INDEX caption_edits_dataset ON caption_edits (dataset);
CREATE TABLE edited_captions (
  edit INTEGER NOT NULL REFERENCES caption_edits (id) ON DELETE CASCADE,
  photo INTEGER NOT NULL REFERENCES photos (id) ON DELETE CASCADE,
  caption TEXT NOT NULL, -- before
  written INTEGER NOT NULL, -- before
  became TEXT NOT NULL,
  PRIMARY KEY (edit, photo)
) STRICT;
CREATE INDEX edited_captions_photo ON edited_captions (photo);
