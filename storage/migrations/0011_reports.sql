-- What moderators decided about a report, and whom they block on their server.
ALTER TABLE reports ADD COLUMN channel INTEGER; -- of the reported message
CREATE TABLE decisions (
  report INTEGER NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
  decision TEXT NOT NULL,
  moderator INTEGER, -- none after they had their data deleted
  at REAL NOT NULL,
  PRIMARY KEY (report, decision)
) STRICT;
CREATE INDEX decisions_moderator ON decisions (moderator);
CREATE TABLE blocked (
  guild INTEGER NOT NULL,
  member INTEGER NOT NULL,
  at REAL NOT NULL,
  PRIMARY KEY (guild, member)
) STRICT;
CREATE INDEX blocked_member ON blocked (member);
