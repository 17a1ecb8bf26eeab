INSERT INTO "caption_edits" VALUES(1,1,'olddog',1790000000.0);
INSERT INTO "edited_captions" VALUES(1,1,'a dog',0,'mydog, a dog');
