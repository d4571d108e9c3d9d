-- oldest program: 0.2.0

-- Where an account's mail was brought from, and how far its reader came. name: such as imap:ann@mail.example.org.
CREATE TABLE import_source (
  user_id bigint NOT NULL,
  id bigint NOT NULL,
  name text NOT NULL,
  state text NOT NULL,
  begun_at timestamptz NOT NULL,
  ended_at timestamptz,
  PRIMARY KEY (user_id, id),
  CONSTRAINT import_source_name UNIQUE (user_id, name)
);
SELECT distribute('import_source', 'user_id', 'account');

-- What each mail of a source became: no is the message's number, and stays when the mail is destroyed here, so that it is
-- not brought again. mailbox_ids, keywords: as the source said last. is_made: the mail was not here before. is_spare: its
-- mailboxes count only if no other item of the source places the mail.
CREATE TABLE import_item (
  user_id bigint NOT NULL,
  source_id bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  no bigint NOT NULL,
  mailbox_ids bigint[] NOT NULL,
  keywords text[] NOT NULL,
  is_made boolean NOT NULL,
  is_spare boolean NOT NULL,
  PRIMARY KEY (user_id, source_id, key)
);
SELECT distribute('import_item', 'user_id', 'account');
CREATE INDEX import_item_no ON import_item (user_id, source_id, no);
