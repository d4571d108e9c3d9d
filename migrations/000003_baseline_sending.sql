-- oldest program: 0.2.0

CREATE TABLE identity (
  user_id bigint NOT NULL,
  id bigint NOT NULL,
  name text NOT NULL,
  email text NOT NULL,
  reply_to jsonb,
  bcc jsonb,
  text_signature text NOT NULL,
  html_signature text NOT NULL,
  may_delete boolean NOT NULL,
  PRIMARY KEY (user_id, id)
);
SELECT distribute('identity', 'user_id', 'account');

-- envelope: as the client gave it or as made from the header. The blob is the message as it leaves.
CREATE TABLE submission (
  user_id bigint NOT NULL,
  id bigint NOT NULL,
  identity_id bigint NOT NULL,
  email_id bigint NOT NULL,
  thread_id bigint NOT NULL,
  envelope jsonb NOT NULL,
  sha256 bytea NOT NULL,
  send_at timestamptz NOT NULL,
  undo_status text NOT NULL,
  dsn_blob_ids text[] NOT NULL DEFAULT '{}',
  mdn_blob_ids text[] NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL,
  -- One that its client destroyed stays, unseen, until its deliveries have come to an end.
  destroyed boolean NOT NULL DEFAULT false,
  PRIMARY KEY (user_id, id)
);
SELECT distribute('submission', 'user_id', 'account');
CREATE INDEX submission_sent ON submission (user_id, send_at, id);
CREATE INDEX submission_email ON submission (user_id, email_id);
CREATE INDEX submission_blob ON submission (user_id, sha256);

-- One row a recipient: the truth of mail out. state: queued, sent, failed, canceled.
CREATE TABLE delivery (
  user_id bigint NOT NULL,
  submission_id bigint NOT NULL,
  no integer NOT NULL,
  rcpt_to text NOT NULL,
  parameters jsonb,
  state text NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL,
  leased_by text,
  leased_until timestamptz,
  -- deliveryStatus of RFC 8621 §7
  smtp_reply text NOT NULL,
  delivered text NOT NULL,
  displayed text NOT NULL,
  -- The incoming message by which these recipients get local mail: chosen once, so a second attempt is a no-op.
  incoming_id bigint,
  PRIMARY KEY (user_id, submission_id, no)
);
SELECT distribute('delivery', 'user_id', 'account');
CREATE INDEX delivery_queued ON delivery (user_id, next_attempt_at) WHERE state = 'queued';
-- Deliveries whose outcome stands, but not yet in the change log: their lease is still there.
CREATE INDEX delivery_unlogged ON delivery (user_id, submission_id) WHERE state <> 'queued' AND leased_by IS NOT NULL;

-- VacationResponse of RFC 8621 §8; an account without a row has none.
CREATE TABLE vacation (
  user_id bigint PRIMARY KEY,
  is_enabled boolean NOT NULL,
  from_date timestamptz,
  to_date timestamptz,
  subject text,
  text_body text,
  html_body text
);
SELECT distribute('vacation', 'user_id', 'account');

-- Who has had an answer, and when.
CREATE TABLE vacation_answer (
  user_id bigint NOT NULL,
  sender text NOT NULL,
  answered_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, sender)
);
SELECT distribute('vacation_answer', 'user_id', 'account');
