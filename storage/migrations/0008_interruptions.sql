-- How often a job was interrupted from outside since it last got further; attempts count crashes.
ALTER TABLE jobs ADD COLUMN interruptions INTEGER NOT NULL DEFAULT 0;
