-- oldest program: 0.2.0

-- What is known of the account as a sender, as JSON: whether its mail is held, and limits of its own (the type Sending in
-- src/store/core/db.ts). Null: nothing.
ALTER TABLE account ADD COLUMN sending jsonb;
CREATE INDEX account_sending ON account (user_id) WHERE sending IS NOT NULL;

-- What an account has sent in each hour. away: recipients of mail that came from a network new to its login.
CREATE TABLE sent_hour (
  user_id bigint NOT NULL,
  hour timestamptz NOT NULL,
  messages integer NOT NULL,
  recipients integer NOT NULL,
  spam integer NOT NULL,
  away integer NOT NULL,
  hard integer NOT NULL,
  complaints integer NOT NULL,
  -- What it had done when the hour began, kept here so that one statement counts and answers: in the 23 hours before,
  day_messages integer NOT NULL,
  day_recipients integer NOT NULL,
  day_spam integer NOT NULL,
  day_away integer NOT NULL,
  -- and in the 30 days before: recipients of its busiest hour, and days of good sending.
  busiest integer NOT NULL,
  good_days integer NOT NULL,
  PRIMARY KEY (user_id, hour)
) WITH (fillfactor = 50);
SELECT distribute('sent_hour', 'user_id', 'account');

-- Why the delivery is held, if that is for its sender's standing; and when it was released. Retries count from then.
ALTER TABLE delivery ADD COLUMN held_for text;
ALTER TABLE delivery ADD COLUMN released_at timestamptz;

-- When the login was first opened from the network. Null: before this was noted.
ALTER TABLE known_network ADD COLUMN first_at timestamptz;

-- Addresses of ours that mail leaves from (--pools), since when, and for how long they rest.
CREATE TABLE source_address (
  address text PRIMARY KEY,
  since timestamptz NOT NULL,
  rests_until timestamptz,
  rest_reason text,
  rests integer NOT NULL DEFAULT 0
);
-- What has left from them to each provider in each day, and what was refused for the address.
CREATE TABLE source_day (
  address text NOT NULL,
  provider text NOT NULL,
  day date NOT NULL,
  messages integer NOT NULL,
  refused integer NOT NULL,
  PRIMARY KEY (address, provider, day)
);
