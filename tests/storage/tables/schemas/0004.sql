INSERT INTO "paces" VALUES('GPU','sd15',512,'lora','look',4,'prior prodigy',0.5,0.25,2.0,10.0,3);
