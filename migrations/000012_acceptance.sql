-- oldest program: 0.2.0

-- Addresses that an account gives away one by one, to see which of them leaks and to close it. senders: the domains that wrote
-- to it last, newest first, a few of them.
CREATE TABLE masked_address (
  user_id bigint NOT NULL,
  id bigint NOT NULL,
  email text NOT NULL,
  label text NOT NULL,
  state text NOT NULL,
  created_at timestamptz NOT NULL,
  messages bigint NOT NULL DEFAULT 0,
  last_message_at timestamptz,
  senders jsonb NOT NULL DEFAULT '[]',
  PRIMARY KEY (user_id, id)
) WITH (fillfactor = 90);
SELECT distribute('masked_address', 'user_id', 'account');

-- The account's masked address that this one is; null for any other.
ALTER TABLE address ADD COLUMN masked_id bigint;
-- Mail for it is refused, as for an address that does not exist; no catch-all takes it.
ALTER TABLE address ADD COLUMN is_paused boolean NOT NULL DEFAULT false;
-- Where else its mail goes: addresses here and elsewhere. Null: nowhere.
ALTER TABLE address ADD COLUMN forwards text[];
-- Whether its account gets the mail too.
ALTER TABLE address ADD COLUMN keeps_copy boolean NOT NULL DEFAULT true;

-- What SPF, DKIM, DMARC, ARC and BIMI found, as clients see it. Null: nothing was checked.
ALTER TABLE message ADD COLUMN authentication jsonb;
ALTER TABLE incoming ADD COLUMN authentication jsonb;

-- Who was told to try again (greylisting): hashes of network, sender and recipient, and of networks and domains that have. On
-- the coordinator, like the queues.
CREATE TABLE greylist (
  key bytea PRIMARY KEY,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  -- It came again in time.
  is_known boolean NOT NULL DEFAULT false
) WITH (fillfactor = 80);
CREATE INDEX greylist_last ON greylist (last_at);
