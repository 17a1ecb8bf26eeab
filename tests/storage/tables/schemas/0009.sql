INSERT INTO "posts" VALUES(1,'result',100000000000000001,77000000000000001,1,7,NULL,'kept',3,'[["thread", "locked"], ["channel", "forbidden"], ["member", "closed"]]',0,NULL,NULL,1764000310.25);
INSERT INTO "posts" VALUES(2,'report',0,77000000000000001,2,0,1,'done',0,'[]',0,88000000000000001,904,1764000311.25);
