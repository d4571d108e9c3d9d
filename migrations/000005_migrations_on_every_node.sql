-- oldest program: 0.2.0

-- So that a program can start while the coordinator of Citus is down.
SELECT replicate('migration');
