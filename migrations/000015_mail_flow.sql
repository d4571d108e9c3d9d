-- oldest program: 0.2.0

-- When the submission of a delivery was removed. What other servers have taken stays for as long as reports about it are
-- believed: they count against the sender, whatever clients destroy. automatic: the server sent it by itself.
ALTER TABLE delivery ADD COLUMN kept_since timestamptz;
ALTER TABLE delivery ADD COLUMN automatic boolean NOT NULL DEFAULT false;
CREATE INDEX delivery_kept ON delivery (user_id, kept_since) WHERE kept_since IS NOT NULL;

-- RFC 8461: the policy that this server publishes for the domain, its mode and the MX hosts that it names. Null: none.
ALTER TABLE domain ADD COLUMN sts_mode text;
ALTER TABLE domain ADD COLUMN sts_mx text[];
