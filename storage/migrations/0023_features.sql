-- What EfficientNet-Lite2 sees in a photo, to compare it with others: base64 in a JSON string; null was not looked at.
ALTER TABLE photos ADD COLUMN features TEXT NOT NULL DEFAULT 'null';
