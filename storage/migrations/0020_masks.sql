-- A photo that has a mask in its alpha channel: the digest of it without the mask.
ALTER TABLE photos ADD COLUMN plain_digest TEXT NOT NULL DEFAULT ''; -- '' without a mask
