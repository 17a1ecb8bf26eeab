-- The workers there are or were, on this machine and others, and what the operator asks of each.
CREATE TABLE nodes (
  place TEXT PRIMARY KEY, -- the worker's name, box/cuda0
  remote INTEGER NOT NULL, -- whether it is on another machine
  here INTEGER NOT NULL, -- whether it takes jobs
  wish TEXT NOT NULL DEFAULT '' -- "", drain, remove
) STRICT;
