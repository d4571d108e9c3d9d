-- oldest program: 0.2.0

-- Each try to hand a mail to a server: one row a server, for the recipients of one destination. Kept for a time, whatever
-- becomes of the submission.
CREATE TABLE attempt (
  user_id bigint NOT NULL,
  submission_id bigint NOT NULL,
  -- The first of its deliveries, the number of the attempt, and of the server within the attempt.
  no integer NOT NULL,
  attempt integer NOT NULL,
  server integer NOT NULL,
  -- The mail's id in Received, replies and logs (q…).
  mail_id bigint NOT NULL,
  at timestamptz NOT NULL,
  milliseconds integer NOT NULL,
  mail_from text NOT NULL,
  recipients jsonb NOT NULL,
  -- Null when no server was found, or none was needed.
  host text,
  address text,
  -- Version and cipher; null without TLS.
  tls text,
  outcome text NOT NULL,
  reply text NOT NULL,
  -- Why the mail is in the error queue: build, sign, route, local or expired.
  error text,
  -- What both sides said, without the message and without secrets.
  transcript text NOT NULL,
  PRIMARY KEY (user_id, submission_id, no, attempt, server)
);
SELECT distribute('attempt', 'user_id', 'account');
CREATE INDEX attempt_at ON attempt (user_id, at);
CREATE INDEX attempt_error ON attempt (user_id, at) WHERE error IS NOT NULL;

-- What an operator decided for a delivery: another host to send it by, or the reply with which it goes back.
ALTER TABLE delivery ADD COLUMN route text;
ALTER TABLE delivery ADD COLUMN return_reply text;

-- Sweeps look for what is leased, however much waits or was sent: this one index serves both states.
CREATE INDEX delivery_leased ON delivery (user_id, submission_id) WHERE leased_by IS NOT NULL;
DROP INDEX delivery_unlogged;

-- A message that fails again and again by itself is set aside, with last_error.
ALTER TABLE incoming ADD COLUMN failures integer NOT NULL DEFAULT 0;
ALTER TABLE incoming ADD COLUMN set_aside_at timestamptz;

-- Steps of mails through the installation, for `posthorn trace`: kept for a time, on the coordinator like the queues. Rows
-- may be lost in a crash.
CREATE TABLE mail_event (
  -- Null for what was refused before it had one.
  mail_id bigint,
  at timestamptz NOT NULL,
  event text NOT NULL,
  message_id text,
  -- In lower case: the sender and the recipients.
  addresses jsonb NOT NULL,
  fields jsonb NOT NULL
);
CREATE INDEX mail_event_mail ON mail_event (mail_id) WHERE mail_id IS NOT NULL;
-- Rows come in the order of time, and are removed in it.
CREATE INDEX mail_event_at ON mail_event USING brin (at);
