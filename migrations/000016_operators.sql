-- oldest program: 0.2.0

-- Logins that look after the installation. user_id: a login that was removed and made anew is another. domains: those of a
-- domain-admin, else null.
CREATE TABLE operator (
  login text PRIMARY KEY,
  user_id bigint NOT NULL,
  role text NOT NULL,
  domains text[],
  created_at timestamptz NOT NULL
);
SELECT replicate('operator');

-- Lists for operators come page by page, also of one domain or one account.
CREATE INDEX login_account ON login (user_id);
CREATE INDEX login_name ON login (login COLLATE "C");
CREATE INDEX login_domain ON login (regexp_replace(login, '^.*@', ''), login COLLATE "C");
CREATE INDEX address_account ON address (user_id);
CREATE INDEX address_name ON address (address COLLATE "C");
CREATE INDEX address_domain ON address (regexp_replace(address, '^.*@', ''), address COLLATE "C");

-- When the mail was submitted, so that the age of the queue is known without asking its accounts.
ALTER TABLE due ADD COLUMN since timestamptz;

-- What happened in each minute, counted by all processes together, for a day.
CREATE TABLE traffic (
  minute timestamptz NOT NULL,
  kind text NOT NULL,
  what text NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (minute, kind, what)
);
