-- oldest program: 0.2.0

-- What scanning found, as JSON: score, reasons, marks (src/store/mail/scans.ts). Null: not scanned.
ALTER TABLE message ADD COLUMN scan text;

-- What its user last said of the email: spam or not. Null: nothing.
ALTER TABLE email ADD COLUMN taught_spam boolean;

-- In how many mails that the account was taught a token was; the tokens are hashes. Token 0 counts the mails.
CREATE TABLE spam_token (
  user_id bigint NOT NULL,
  token integer NOT NULL,
  ham integer NOT NULL,
  spam integer NOT NULL,
  seen_on date NOT NULL,
  PRIMARY KEY (user_id, token)
) WITH (fillfactor = 90);
SELECT distribute('spam_token', 'user_id', 'account');

-- Whom the account has written to. shape: what the domain looks like; name_key: the folded display name.
CREATE TABLE correspondent (
  user_id bigint NOT NULL,
  address text NOT NULL,
  domain text NOT NULL,
  shape text NOT NULL,
  name_key text NOT NULL,
  written_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, address)
);
SELECT distribute('correspondent', 'user_id', 'account');
CREATE INDEX correspondent_shape ON correspondent (user_id, shape);
CREATE INDEX correspondent_name ON correspondent (user_id, name_key);

-- How spammy the message was on sending, in tenths of a point; null: not scored.
ALTER TABLE submission ADD COLUMN spam_tenths integer;

-- Set while no scanner has seen the message: it is not delivered before.
ALTER TABLE incoming ADD COLUMN unscanned boolean NOT NULL DEFAULT false;
-- What the spam filter outside found, as JSON; null: the built-in scorer judges.
ALTER TABLE incoming ADD COLUMN spam text;

-- Infected messages of the whole installation, which nobody can read. They hold their object as incoming ones do.
CREATE TABLE quarantine (
  id bigint PRIMARY KEY,
  created_at timestamptz NOT NULL,
  sha256 bytea NOT NULL,
  day date NOT NULL,
  pack bytea,
  size integer NOT NULL,
  mail_from text NOT NULL,
  recipients jsonb NOT NULL,
  junk_reason text,
  virus text NOT NULL
);
CREATE INDEX quarantine_created ON quarantine (created_at);
