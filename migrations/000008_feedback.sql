-- oldest program: 0.2.0

-- Failed deliveries and complaints. kind: hard, soft, complaint, each a queue of its own. source: smtp (the server refused the
-- mail), report (one came to the return path), junk (a user here marked the mail).
CREATE TABLE bounce (
  user_id bigint NOT NULL,
  modseq bigint NOT NULL,
  no integer NOT NULL,
  kind text NOT NULL,
  source text NOT NULL,
  recipient text NOT NULL,
  -- The recipient's domain.
  destination text NOT NULL,
  submission_id bigint NOT NULL,
  reply text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (user_id, modseq, no)
);
SELECT distribute('bounce', 'user_id', 'account');
CREATE INDEX bounce_at ON bounce (user_id, at);

-- Addresses that an account sends no mail to.
CREATE TABLE suppression (
  user_id bigint NOT NULL,
  address text NOT NULL,
  reason text NOT NULL,
  since timestamptz NOT NULL,
  PRIMARY KEY (user_id, address)
);
SELECT distribute('suppression', 'user_id', 'account');

-- Those that no account sends to. On every node, since each submission asks.
CREATE TABLE general_suppression (
  address text PRIMARY KEY,
  reason text NOT NULL,
  since timestamptz NOT NULL
);
SELECT replicate('general_suppression');

-- Mail from an account here that this account marked as junk. A sweep counts it as a complaint in the sender's account.
CREATE TABLE junk_mark (
  user_id bigint NOT NULL,
  -- The account that sent it, and its submission.
  sender_id bigint NOT NULL,
  submission_id bigint NOT NULL,
  at timestamptz NOT NULL,
  told boolean NOT NULL DEFAULT false,
  PRIMARY KEY (user_id, sender_id, submission_id)
);
SELECT distribute('junk_mark', 'user_id', 'account');
CREATE INDEX junk_mark_untold ON junk_mark (user_id, at) WHERE NOT told;
