-- What sets the pace of a training; times by base and method alone were too far from the next one's.

DROP TABLE paces;
CREATE TABLE paces (
  device TEXT NOT NULL,
  base TEXT NOT NULL,
  resolution INTEGER NOT NULL,
  method TEXT NOT NULL,
  concept TEXT NOT NULL,
  batch INTEGER NOT NULL,
  options TEXT NOT NULL,
  step REAL NOT NULL,
  photo REAL NOT NULL,
  picture REAL NOT NULL,
  around REAL NOT NULL,
  runs INTEGER NOT NULL,
  PRIMARY KEY (device, base, resolution, method, concept, batch, options)
) STRICT;
