-- Of a destroyed email: where it stood in lists by date, for /queryChanges with upToId.
ALTER TABLE change ADD COLUMN received_at timestamptz;
