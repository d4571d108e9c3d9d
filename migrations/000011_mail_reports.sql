-- oldest program: 0.2.0

-- What other domains ask of TLS on the way to them (MTA-STS, RFC 8461), as fetched, until it expires. On the coordinator like
-- the queues: all processes that send share it.
CREATE TABLE sts_policy (
  domain text PRIMARY KEY,
  -- The id in DNS when it was fetched.
  policy_id text NOT NULL,
  policy text NOT NULL,
  -- When it was fetched, or that was last tried.
  checked_at timestamptz NOT NULL,
  -- When mail last asked for it, to within a day.
  used_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX sts_policy_checked ON sts_policy (checked_at);

-- What is told to other domains: TLS of the connections to them (kind tls, RFC 8460), and how mail in their name fared here
-- (dmarc, RFC 9990). On the coordinator. Counts of the last seconds may be lost in a crash.
CREATE TABLE report_count (
  kind text NOT NULL,
  -- UTC
  day date NOT NULL,
  domain text NOT NULL,
  -- SHA-256 of what was counted.
  key bytea NOT NULL,
  what jsonb NOT NULL,
  number bigint NOT NULL,
  PRIMARY KEY (kind, day, domain, key)
);

-- Reports that a process makes, or that were sent. On the coordinator.
CREATE TABLE sent_report (
  kind text NOT NULL,
  day date NOT NULL,
  domain text NOT NULL,
  -- No other process makes it before.
  taken_until timestamptz NOT NULL,
  sent_at timestamptz,
  PRIMARY KEY (kind, day, domain)
);

-- Reports that others sent of our domains, kinds as above. On the coordinator.
CREATE TABLE received_report (
  -- Made of kind, domain, organization and report_id, so that a report that comes again is known.
  id text PRIMARY KEY,
  kind text NOT NULL,
  domain text NOT NULL,
  -- Who made it, in its own words, and its id there.
  organization text NOT NULL,
  report_id text NOT NULL,
  -- The address that it came from.
  sender text NOT NULL,
  begins timestamptz NOT NULL,
  ends timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  -- The policy that was found.
  policy jsonb NOT NULL
);
CREATE INDEX received_report_at ON received_report (received_at);
CREATE TABLE received_report_row (
  report text NOT NULL REFERENCES received_report ON DELETE CASCADE,
  no integer NOT NULL,
  -- dmarc: the address that sent the mail. tls: the server that was tried, or empty.
  source text NOT NULL,
  -- dmarc: pass or fail. tls: success, or what failed.
  result text NOT NULL,
  number bigint NOT NULL,
  what jsonb NOT NULL,
  PRIMARY KEY (report, no)
);

-- Keys of a domain beside the RSA key that signs, which is in domain. state: new (published, not used yet), active (signs),
-- retired (signs no more; stays in DNS until the mail that it signed has arrived).
CREATE TABLE dkim_key (
  domain text NOT NULL REFERENCES domain ON DELETE CASCADE,
  selector text NOT NULL,
  -- PKCS #8, PEM: RSA or Ed25519.
  private_key text NOT NULL,
  state text NOT NULL,
  created_at timestamptz NOT NULL,
  -- When it came into this state.
  since timestamptz NOT NULL,
  PRIMARY KEY (domain, selector)
);
SELECT replicate('dkim_key');
