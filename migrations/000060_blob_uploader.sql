-- RFC 8620 §6.1: the logins that uploaded it, by their own accounts. Until a message takes it up, no other login may
-- read it. Null where the server itself keeps it.
ALTER TABLE blob_ref ADD COLUMN uploaders bigint[];
