INSERT INTO "comparisons" VALUES(1,'compare',100000000000000002,77000000000000001,88000000000000001,3,'my cat','[1.0]','judging',0,NULL,'null',0,1790000000.0,NULL);
INSERT INTO "comparison_entries" VALUES(1,0,'LoRA','embedded','{"steps": 100}',2,0,NULL,'{"score": 0.5, "spread": 0.1, "likeness": 0.6, "variety": 0.9, "copies": 0.0}');
INSERT INTO "comparison_entries" VALUES(1,1,'LoKr','embedded','{"steps": 100}',NULL,-1,NULL,'null');
