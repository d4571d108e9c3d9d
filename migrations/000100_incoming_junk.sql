-- Why the message goes to the Junk mailboxes of its recipients; null for the inbox.
ALTER TABLE incoming ADD COLUMN junk_reason text;
