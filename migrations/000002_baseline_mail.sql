-- oldest program: 0.2.0

-- Append-only. kind: a bit mask, see src/store/change.ts.
CREATE TABLE change (
  user_id bigint NOT NULL,
  type smallint NOT NULL,
  modseq bigint NOT NULL,
  id bigint NOT NULL,
  kind smallint NOT NULL,
  thread_id bigint,
  changed_at timestamptz NOT NULL,
  -- Of a destroyed email: where it stood in lists by date, for /queryChanges with upToId.
  received_at timestamptz,
  PRIMARY KEY (user_id, type, modseq, id)
);
SELECT distribute('change', 'user_id', 'account');

CREATE TABLE mailbox (
  user_id bigint NOT NULL,
  id bigint NOT NULL,
  name text NOT NULL,
  parent_id bigint,
  role text,
  sort_order integer NOT NULL DEFAULT 0,
  is_subscribed boolean NOT NULL DEFAULT true,
  total_emails integer NOT NULL DEFAULT 0,
  unread_emails integer NOT NULL DEFAULT 0,
  total_threads integer NOT NULL DEFAULT 0,
  unread_threads integer NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, id),
  -- Deferrable: checked at the end of the statement, so one update can swap two names.
  CONSTRAINT mailbox_role UNIQUE (user_id, role) DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT mailbox_sibling_name UNIQUE NULLS NOT DISTINCT (user_id, parent_id, name) DEFERRABLE INITIALLY IMMEDIATE
) WITH (fillfactor = 50);
SELECT distribute('mailbox', 'user_id', 'account');

-- Whether a login sees a mailbox of an account that is not its own (RFC 8621 §2); the owner's view is mailbox.is_subscribed.
CREATE TABLE mailbox_subscription (
  user_id bigint NOT NULL,
  login text NOT NULL,
  mailbox_id bigint NOT NULL,
  PRIMARY KEY (user_id, login, mailbox_id)
);
SELECT distribute('mailbox_subscription', 'user_id', 'account');

-- What never changes of a message. Address lists are JMAP JSON, ready for the wire.
CREATE TABLE message (
  user_id bigint NOT NULL,
  no bigint NOT NULL,
  sha256 bytea NOT NULL,
  size integer NOT NULL,
  message_id text[],
  in_reply_to text[],
  refs text[],
  sender text,
  "from" text,
  "to" text,
  cc text,
  bcc text,
  reply_to text,
  subject text,
  sent_at text,
  preview text NOT NULL,
  has_attachment boolean NOT NULL,
  -- Sort keys in i;unicode-casemap.
  from_key text COLLATE "C" NOT NULL,
  to_key text COLLATE "C" NOT NULL,
  subject_key text COLLATE "C" NOT NULL,
  -- The message's own header block; null when it is over 64 KB (then it is read from the blob).
  header bytea,
  structure text NOT NULL,
  PRIMARY KEY (user_id, no)
);
SELECT distribute('message', 'user_id', 'account');
CREATE INDEX message_blob ON message (user_id, sha256);

CREATE TABLE email (
  user_id bigint NOT NULL,
  id bigint NOT NULL,
  no bigint NOT NULL,
  thread_id bigint NOT NULL,
  received_at timestamptz NOT NULL,
  sent_at timestamptz,
  size integer NOT NULL,
  has_attachment boolean NOT NULL,
  mailbox_ids bigint[] NOT NULL,
  keywords text[] NOT NULL,
  PRIMARY KEY (user_id, id)
) WITH (fillfactor = 85);
SELECT distribute('email', 'user_id', 'account');
CREATE INDEX email_received ON email (user_id, received_at DESC, id DESC);
CREATE INDEX email_thread ON email (user_id, thread_id, received_at, id);
CREATE UNIQUE INDEX email_no ON email (user_id, no);

-- One row for each mailbox an email is in; head: the newest of its thread in that mailbox.
CREATE TABLE email_mailbox (
  user_id bigint NOT NULL,
  mailbox_id bigint NOT NULL,
  email_id bigint NOT NULL,
  thread_id bigint NOT NULL,
  received_at timestamptz NOT NULL,
  seen boolean NOT NULL,
  draft boolean NOT NULL,
  head boolean NOT NULL,
  PRIMARY KEY (user_id, email_id, mailbox_id)
);
SELECT distribute('email_mailbox', 'user_id', 'account');
CREATE INDEX email_mailbox_list ON email_mailbox (user_id, mailbox_id, received_at DESC, email_id DESC);
CREATE INDEX email_mailbox_head ON email_mailbox (user_id, mailbox_id, received_at DESC, email_id DESC)
  INCLUDE (thread_id) WHERE head;
CREATE INDEX email_mailbox_unread ON email_mailbox (user_id, mailbox_id, received_at DESC, email_id DESC)
  INCLUDE (thread_id) WHERE NOT seen;
CREATE INDEX email_mailbox_thread ON email_mailbox (user_id, thread_id, mailbox_id, received_at DESC, email_id DESC)
  INCLUDE (seen, draft);

-- All keywords but $seen, so a flagged list needs no walk along the mailbox.
CREATE TABLE email_keyword (
  user_id bigint NOT NULL,
  keyword text NOT NULL,
  received_at timestamptz NOT NULL,
  email_id bigint NOT NULL,
  PRIMARY KEY (user_id, keyword, received_at, email_id)
);
SELECT distribute('email_keyword', 'user_id', 'account');

-- Which thread a (message id, base subject) belongs to; both hashed to 64 bits.
CREATE TABLE thread_ref (
  user_id bigint NOT NULL,
  id_hash bigint NOT NULL,
  subject_hash bigint NOT NULL,
  thread_id bigint NOT NULL,
  PRIMARY KEY (user_id, id_hash, subject_hash)
);
SELECT distribute('thread_ref', 'user_id', 'account');
CREATE INDEX thread_ref_thread ON thread_ref (user_id, thread_id);

CREATE TABLE search (
  user_id bigint NOT NULL,
  no bigint NOT NULL,
  received_at timestamptz NOT NULL,
  terms tsvector NOT NULL,
  -- How the terms were made; those of an older version are found as far as they go, until they are made anew.
  version smallint NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, no)
);
SELECT distribute('search', 'user_id', 'account');
CREATE INDEX search_received ON search (user_id, received_at DESC, no DESC);
-- Terms carry the account, so a search costs by that account's mail alone.
CREATE INDEX search_terms ON search USING gin (terms) WITH (fastupdate = on, gin_pending_list_limit = 2048);

-- The terms of a mail that is too long for one row of search; its row there has none.
CREATE TABLE search_part (
  user_id bigint NOT NULL,
  no bigint NOT NULL,
  part int NOT NULL,
  terms tsvector NOT NULL,
  PRIMARY KEY (user_id, no, part)
);
-- Phrases are looked for in the terms themselves: uncompressed, these are read in a fraction of the time.
ALTER TABLE search_part ALTER COLUMN terms SET STORAGE EXTERNAL;
SELECT distribute('search_part', 'user_id', 'account');
-- A row has so many terms that a list of pending ones would gain nothing.
CREATE INDEX search_part_terms ON search_part USING gin (terms) WITH (fastupdate = off);

-- Postgres prices @@ like an addition, while reading a mail's terms takes 20 µs: at its true price the index is used
-- where it pays (measured: 71 ms of CPU for 1,024). A role that may not say so only loses time. Each node plans its shards.
DO $$
DECLARE
  command text := 'ALTER FUNCTION pg_catalog.ts_match_vq(tsvector, tsquery) COST 800';
BEGIN
  EXECUTE command;
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
    EXECUTE format('SELECT run_command_on_workers(%L)', command);
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE 'the price of @@ stays as it is';
END $$;

-- An account may read a blob only while it holds an unreleased reference. The object is <day>/<sha256>.
CREATE TABLE blob_ref (
  user_id bigint NOT NULL,
  sha256 bytea NOT NULL,
  day date NOT NULL,
  size bigint NOT NULL,
  -- An upload that nothing took up by then is released.
  expires_at timestamptz,
  released_at timestamptz,
  -- RFC 8620 §6.1: the logins that uploaded it, by their own accounts. Until a message takes it up, no other login may
  -- read it. Null where the server itself keeps it.
  uploaders bigint[],
  PRIMARY KEY (user_id, sha256)
);
SELECT distribute('blob_ref', 'user_id', 'account');
CREATE INDEX blob_ref_expiry ON blob_ref (user_id, expires_at) WHERE expires_at IS NOT NULL;
-- Released references that a sweep has yet to drop.
CREATE INDEX blob_ref_released ON blob_ref (user_id, released_at) WHERE released_at IS NOT NULL;

-- Objects that an account let go of: removed unless another account holds a reference. Global, by its own key.
CREATE TABLE dead_object (
  sha256 bytea NOT NULL,
  day date NOT NULL,
  died_at timestamptz NOT NULL,
  PRIMARY KEY (sha256, day)
);
SELECT distribute('dead_object', 'sha256', 'none');

-- Makes a second delivery of an incoming message a no-op.
CREATE TABLE received (
  user_id bigint NOT NULL,
  incoming_id bigint NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, incoming_id)
);
SELECT distribute('received', 'user_id', 'account');
