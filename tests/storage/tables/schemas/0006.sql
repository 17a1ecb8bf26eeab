INSERT INTO "drafts" VALUES(1,100000000000000001,1764000300.25,'{"dataset": 1, "method": "lora"}');
