INSERT INTO nodes VALUES('lab/cuda0',1,0,'drain');
