-- Digests of files that the upload page sent, so that after a broken connection none is sent twice.
CREATE TABLE uploads (
  digest TEXT NOT NULL, -- sha256 of the file as it came, hex
  photo INTEGER NOT NULL REFERENCES photos (id) ON DELETE CASCADE,
  PRIMARY KEY (digest, photo)
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_photo ON uploads (photo);
