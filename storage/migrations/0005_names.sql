-- Columns and keys get the names that other trainers and queues use.
ALTER TABLE jobs RENAME COLUMN wish TO requested;
ALTER TABLE jobs RENAME COLUMN wished_by TO requested_by;
ALTER TABLE paces RENAME COLUMN batch TO batch_size;
ALTER TABLE paces RENAME COLUMN around TO overhead;
ALTER TABLE paces RENAME TO durations;

UPDATE jobs SET request = json_remove(
  json_set(request, '$.file_bytes', json_extract(request, '$.bytes')), '$.bytes'
) WHERE json_type(request, '$.bytes') IS NOT NULL;
UPDATE jobs SET request = json_remove(
  json_set(request, '$.other_datasets', json_extract(request, '$.further')), '$.further'
) WHERE json_type(request, '$.further') IS NOT NULL;
