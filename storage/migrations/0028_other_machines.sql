-- Whether a member agreed that photos also go to machines that have joined. Who agreed before did
-- not, so jobs that are open stay on the main machine.
ALTER TABLE consents ADD COLUMN other_machines INTEGER NOT NULL DEFAULT 0;
UPDATE jobs SET stays_home = 1 WHERE status IN ('queued', 'running', 'paused');
