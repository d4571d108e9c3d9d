-- What the numbered migrations make, by `npm run db:schema`: to be read, never edited or run.

CREATE OR REPLACE FUNCTION public.distribute(target regclass, key text, beside text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
    EXECUTE format('SELECT create_distributed_table(%L, %L, colocate_with => %L)', target::text, key, beside);
  END IF;
END $function$;

CREATE OR REPLACE FUNCTION public.replicate(target regclass)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
    EXECUTE format('SELECT create_reference_table(%L)', target::text);
  END IF;
END $function$;

CREATE SEQUENCE account_number AS bigint START 1 INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1;

CREATE SEQUENCE incoming_number AS bigint START 1 INCREMENT 100 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1;

CREATE TABLE account (
  user_id bigint NOT NULL,
  name text NOT NULL,
  modseq bigint NOT NULL DEFAULT 0,
  last_id bigint NOT NULL DEFAULT 0,
  epoch integer NOT NULL DEFAULT 1,
  pruned_modseq bigint NOT NULL DEFAULT 0,
  created_at timestamp with time zone NOT NULL,
  used bigint NOT NULL DEFAULT 0,
  quota bigint,
  quota_id bigint,
  reindexed_modseq bigint NOT NULL DEFAULT 0,
  sending jsonb,
  is_held boolean NOT NULL DEFAULT false,
  keep_for integer,
  CONSTRAINT account_pkey PRIMARY KEY (user_id)
) WITH (fillfactor=50);
CREATE INDEX account_sending ON public.account USING btree (user_id) WHERE (sending IS NOT NULL);

CREATE TABLE account_access (
  login text NOT NULL,
  account_id bigint NOT NULL,
  created_at timestamp with time zone NOT NULL,
  CONSTRAINT account_access_pkey PRIMARY KEY (login, account_id)
);

CREATE TABLE address (
  address text NOT NULL,
  user_id bigint NOT NULL,
  created_at timestamp with time zone NOT NULL,
  masked_id bigint,
  is_paused boolean NOT NULL DEFAULT false,
  forwards text[],
  keeps_copy boolean NOT NULL DEFAULT true,
  CONSTRAINT address_pkey PRIMARY KEY (address)
);
CREATE INDEX address_account ON public.address USING btree (user_id);
CREATE INDEX address_domain ON public.address USING btree (regexp_replace(address, '^.*@'::text, ''::text), address COLLATE "C");
CREATE INDEX address_name ON public.address USING btree (address COLLATE "C");

CREATE TABLE app_password (
  user_id bigint NOT NULL,
  login text NOT NULL,
  id text NOT NULL,
  label text NOT NULL,
  password_hash text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  used_at timestamp with time zone,
  network text,
  CONSTRAINT app_password_pkey PRIMARY KEY (user_id, login, id)
);

CREATE TABLE attempt (
  user_id bigint NOT NULL,
  submission_id bigint NOT NULL,
  no integer NOT NULL,
  attempt integer NOT NULL,
  server integer NOT NULL,
  mail_id bigint NOT NULL,
  at timestamp with time zone NOT NULL,
  milliseconds integer NOT NULL,
  mail_from text NOT NULL,
  recipients jsonb NOT NULL,
  host text,
  address text,
  tls text,
  outcome text NOT NULL,
  reply text NOT NULL,
  error text,
  transcript text NOT NULL,
  CONSTRAINT attempt_pkey PRIMARY KEY (user_id, submission_id, no, attempt, server)
);
CREATE INDEX attempt_at ON public.attempt USING btree (user_id, at);
CREATE INDEX attempt_error ON public.attempt USING btree (user_id, at) WHERE (error IS NOT NULL);

CREATE TABLE audit (
  user_id bigint NOT NULL,
  seq bigint NOT NULL,
  at timestamp with time zone NOT NULL,
  who text NOT NULL,
  what jsonb NOT NULL,
  prev bytea NOT NULL,
  hash bytea NOT NULL,
  CONSTRAINT audit_pkey PRIMARY KEY (user_id, seq)
);

CREATE TABLE blob_ref (
  user_id bigint NOT NULL,
  sha256 bytea NOT NULL,
  day date NOT NULL,
  size bigint NOT NULL,
  expires_at timestamp with time zone,
  released_at timestamp with time zone,
  uploaders bigint[],
  pack bytea,
  CONSTRAINT blob_ref_pkey PRIMARY KEY (user_id, sha256)
);
CREATE INDEX blob_ref_expiry ON public.blob_ref USING btree (user_id, expires_at) WHERE (expires_at IS NOT NULL);
CREATE INDEX blob_ref_released ON public.blob_ref USING btree (user_id, released_at) WHERE (released_at IS NOT NULL);

CREATE TABLE bounce (
  user_id bigint NOT NULL,
  modseq bigint NOT NULL,
  no integer NOT NULL,
  kind text NOT NULL,
  source text NOT NULL,
  recipient text NOT NULL,
  destination text NOT NULL,
  submission_id bigint NOT NULL,
  reply text NOT NULL,
  at timestamp with time zone NOT NULL,
  CONSTRAINT bounce_pkey PRIMARY KEY (user_id, modseq, no)
);
CREATE INDEX bounce_at ON public.bounce USING btree (user_id, at);

CREATE TABLE change (
  user_id bigint NOT NULL,
  type smallint NOT NULL,
  modseq bigint NOT NULL,
  id bigint NOT NULL,
  kind smallint NOT NULL,
  thread_id bigint,
  changed_at timestamp with time zone NOT NULL,
  received_at timestamp with time zone,
  CONSTRAINT change_pkey PRIMARY KEY (user_id, type, modseq, id)
);

CREATE TABLE correspondent (
  user_id bigint NOT NULL,
  address text NOT NULL,
  domain text NOT NULL,
  shape text NOT NULL,
  name_key text NOT NULL,
  written_at timestamp with time zone NOT NULL,
  CONSTRAINT correspondent_pkey PRIMARY KEY (user_id, address)
);
CREATE INDEX correspondent_name ON public.correspondent USING btree (user_id, name_key);
CREATE INDEX correspondent_shape ON public.correspondent USING btree (user_id, shape);

CREATE TABLE data_export (
  user_id bigint NOT NULL,
  id bigint NOT NULL,
  state text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  done integer NOT NULL,
  total integer NOT NULL,
  attempts integer NOT NULL,
  leased_until timestamp with time zone,
  sha256 bytea NOT NULL,
  size bigint NOT NULL,
  expires_at timestamp with time zone,
  hidden boolean NOT NULL,
  CONSTRAINT data_export_pkey PRIMARY KEY (user_id, id)
);
CREATE INDEX data_export_blob ON public.data_export USING btree (user_id, sha256);
CREATE INDEX data_export_expiry ON public.data_export USING btree (user_id, expires_at) WHERE (expires_at IS NOT NULL);
CREATE INDEX data_export_open ON public.data_export USING btree (user_id, leased_until) WHERE (state = ANY (ARRAY['waiting'::text, 'running'::text]));

CREATE TABLE dead_member (
  pack bytea NOT NULL,
  sha256 bytea NOT NULL,
  day date NOT NULL,
  died_at timestamp with time zone NOT NULL,
  CONSTRAINT dead_member_pkey PRIMARY KEY (pack, sha256)
);
CREATE INDEX dead_member_age ON public.dead_member USING btree (died_at);

CREATE TABLE dead_object (
  sha256 bytea NOT NULL,
  day date NOT NULL,
  died_at timestamp with time zone NOT NULL,
  CONSTRAINT dead_object_pkey PRIMARY KEY (sha256, day)
);

CREATE TABLE deleted_email (
  user_id bigint NOT NULL,
  id bigint NOT NULL,
  sha256 bytea NOT NULL,
  size integer NOT NULL,
  received_at timestamp with time zone NOT NULL,
  mailbox_ids bigint[] NOT NULL,
  keywords text[] NOT NULL,
  taught_spam boolean,
  "from" text,
  subject text,
  scan text,
  authentication jsonb,
  deleted_at timestamp with time zone NOT NULL,
  hidden boolean NOT NULL DEFAULT false,
  CONSTRAINT deleted_email_pkey PRIMARY KEY (user_id, id)
);
CREATE INDEX deleted_email_age ON public.deleted_email USING btree (user_id, deleted_at, id);
CREATE INDEX deleted_email_blob ON public.deleted_email USING btree (user_id, sha256);

CREATE TABLE deleted_mailbox (
  user_id bigint NOT NULL,
  id bigint NOT NULL,
  name text NOT NULL,
  parent_id bigint,
  role text,
  sort_order integer NOT NULL,
  is_subscribed boolean NOT NULL,
  deleted_at timestamp with time zone NOT NULL,
  CONSTRAINT deleted_mailbox_pkey PRIMARY KEY (user_id, id)
);
CREATE INDEX deleted_mailbox_age ON public.deleted_mailbox USING btree (user_id, deleted_at);

CREATE TABLE delivery (
  user_id bigint NOT NULL,
  submission_id bigint NOT NULL,
  no integer NOT NULL,
  rcpt_to text NOT NULL,
  parameters jsonb,
  state text NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamp with time zone NOT NULL,
  leased_by text,
  leased_until timestamp with time zone,
  smtp_reply text NOT NULL,
  delivered text NOT NULL,
  displayed text NOT NULL,
  incoming_id bigint,
  route text,
  return_reply text,
  warned boolean NOT NULL DEFAULT false,
  held_for text,
  released_at timestamp with time zone,
  kept_since timestamp with time zone,
  automatic boolean NOT NULL DEFAULT false,
  urged_at timestamp with time zone,
  CONSTRAINT delivery_pkey PRIMARY KEY (user_id, submission_id, no)
);
CREATE INDEX delivery_kept ON public.delivery USING btree (user_id, kept_since) WHERE (kept_since IS NOT NULL);
CREATE INDEX delivery_leased ON public.delivery USING btree (user_id, submission_id) WHERE (leased_by IS NOT NULL);
CREATE INDEX delivery_queued ON public.delivery USING btree (user_id, next_attempt_at) WHERE (state = 'queued'::text);

CREATE TABLE dkim_key (
  domain text NOT NULL,
  selector text NOT NULL,
  private_key text NOT NULL,
  state text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  since timestamp with time zone NOT NULL,
  CONSTRAINT dkim_key_pkey PRIMARY KEY (domain, selector)
);

CREATE TABLE domain (
  name text NOT NULL,
  dkim_selector text NOT NULL,
  dkim_key text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  sts_mode text,
  sts_mx text[],
  needs_second_factor boolean NOT NULL DEFAULT false,
  CONSTRAINT domain_pkey PRIMARY KEY (name)
);

CREATE TABLE due (
  user_id bigint NOT NULL,
  submission_id bigint NOT NULL,
  next_attempt_at timestamp with time zone NOT NULL,
  bulk boolean NOT NULL DEFAULT false,
  since timestamp with time zone,
  CONSTRAINT due_pkey PRIMARY KEY (user_id, submission_id)
);
CREATE INDEX due_kind_next ON public.due USING btree (bulk, next_attempt_at);
CREATE INDEX due_next ON public.due USING btree (next_attempt_at);

CREATE TABLE email (
  user_id bigint NOT NULL,
  id bigint NOT NULL,
  no bigint NOT NULL,
  thread_id bigint NOT NULL,
  received_at timestamp with time zone NOT NULL,
  sent_at timestamp with time zone,
  size integer NOT NULL,
  has_attachment boolean NOT NULL,
  mailbox_ids bigint[] NOT NULL,
  keywords text[] NOT NULL,
  taught_spam boolean,
  CONSTRAINT email_pkey PRIMARY KEY (user_id, id)
) WITH (fillfactor=85);
CREATE UNIQUE INDEX email_no ON public.email USING btree (user_id, no);
CREATE INDEX email_received ON public.email USING btree (user_id, received_at DESC, id DESC);
CREATE INDEX email_thread ON public.email USING btree (user_id, thread_id, received_at, id);

CREATE TABLE email_keyword (
  user_id bigint NOT NULL,
  keyword text NOT NULL,
  received_at timestamp with time zone NOT NULL,
  email_id bigint NOT NULL,
  CONSTRAINT email_keyword_pkey PRIMARY KEY (user_id, keyword, received_at, email_id)
);

CREATE TABLE email_mailbox (
  user_id bigint NOT NULL,
  mailbox_id bigint NOT NULL,
  email_id bigint NOT NULL,
  thread_id bigint NOT NULL,
  received_at timestamp with time zone NOT NULL,
  seen boolean NOT NULL,
  draft boolean NOT NULL,
  head boolean NOT NULL,
  CONSTRAINT email_mailbox_pkey PRIMARY KEY (user_id, email_id, mailbox_id)
);
CREATE INDEX email_mailbox_head ON public.email_mailbox USING btree (user_id, mailbox_id, received_at DESC, email_id DESC) INCLUDE (thread_id) WHERE head;
CREATE INDEX email_mailbox_list ON public.email_mailbox USING btree (user_id, mailbox_id, received_at DESC, email_id DESC);
CREATE INDEX email_mailbox_thread ON public.email_mailbox USING btree (user_id, thread_id, mailbox_id, received_at DESC, email_id DESC) INCLUDE (seen, draft);
CREATE INDEX email_mailbox_unread ON public.email_mailbox USING btree (user_id, mailbox_id, received_at DESC, email_id DESC) INCLUDE (thread_id) WHERE (NOT seen);

CREATE TABLE general_suppression (
  address text NOT NULL,
  reason text NOT NULL,
  since timestamp with time zone NOT NULL,
  CONSTRAINT general_suppression_pkey PRIMARY KEY (address)
);

CREATE TABLE greylist (
  key bytea NOT NULL,
  first_at timestamp with time zone NOT NULL,
  last_at timestamp with time zone NOT NULL,
  is_known boolean NOT NULL DEFAULT false,
  CONSTRAINT greylist_pkey PRIMARY KEY (key)
) WITH (fillfactor=80);
CREATE INDEX greylist_last ON public.greylist USING btree (last_at);

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
  CONSTRAINT identity_pkey PRIMARY KEY (user_id, id)
);

CREATE TABLE import_item (
  user_id bigint NOT NULL,
  source_id bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  no bigint NOT NULL,
  mailbox_ids bigint[] NOT NULL,
  keywords text[] NOT NULL,
  is_made boolean NOT NULL,
  is_spare boolean NOT NULL,
  CONSTRAINT import_item_pkey PRIMARY KEY (user_id, source_id, key)
);
CREATE INDEX import_item_no ON public.import_item USING btree (user_id, source_id, no);

CREATE TABLE import_source (
  user_id bigint NOT NULL,
  id bigint NOT NULL,
  name text NOT NULL,
  state text NOT NULL,
  begun_at timestamp with time zone NOT NULL,
  ended_at timestamp with time zone,
  CONSTRAINT import_source_pkey PRIMARY KEY (user_id, id),
  CONSTRAINT import_source_name UNIQUE (user_id, name)
);

CREATE TABLE incoming (
  id bigint NOT NULL,
  created_at timestamp with time zone NOT NULL,
  sha256 bytea NOT NULL,
  day date NOT NULL,
  size integer NOT NULL,
  mail_from text NOT NULL,
  recipients jsonb NOT NULL,
  leased_by text NOT NULL,
  leased_until timestamp with time zone NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  last_error text,
  junk_reason text,
  pack bytea,
  failures integer NOT NULL DEFAULT 0,
  set_aside_at timestamp with time zone,
  unscanned boolean NOT NULL DEFAULT false,
  spam text,
  authentication jsonb,
  CONSTRAINT incoming_pkey PRIMARY KEY (id)
);
CREATE INDEX incoming_lease ON public.incoming USING btree (leased_until);

CREATE TABLE invite (
  id text NOT NULL,
  hash bytea NOT NULL,
  domain text NOT NULL,
  address text,
  who text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  CONSTRAINT invite_pkey PRIMARY KEY (id),
  CONSTRAINT invite_hash_key UNIQUE (hash)
);

CREATE TABLE junk_mark (
  user_id bigint NOT NULL,
  sender_id bigint NOT NULL,
  submission_id bigint NOT NULL,
  at timestamp with time zone NOT NULL,
  told boolean NOT NULL DEFAULT false,
  CONSTRAINT junk_mark_pkey PRIMARY KEY (user_id, sender_id, submission_id)
);
CREATE INDEX junk_mark_untold ON public.junk_mark USING btree (user_id, at) WHERE (NOT told);

CREATE TABLE known_network (
  user_id bigint NOT NULL,
  network bytea NOT NULL,
  seen_at timestamp with time zone NOT NULL,
  first_at timestamp with time zone,
  CONSTRAINT known_network_pkey PRIMARY KEY (user_id, network)
);

CREATE TABLE legal_hold (
  id text NOT NULL,
  scope text NOT NULL,
  reason text NOT NULL,
  who text NOT NULL,
  placed_at timestamp with time zone NOT NULL,
  CONSTRAINT legal_hold_pkey PRIMARY KEY (id)
);

CREATE TABLE login (
  login text NOT NULL,
  user_id bigint NOT NULL,
  password_hash text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  CONSTRAINT login_pkey PRIMARY KEY (login)
);
CREATE INDEX login_account ON public.login USING btree (user_id);
CREATE INDEX login_domain ON public.login USING btree (regexp_replace(login, '^.*@'::text, ''::text), login COLLATE "C");
CREATE INDEX login_name ON public.login USING btree (login COLLATE "C");

CREATE TABLE mail_event (
  mail_id bigint,
  at timestamp with time zone NOT NULL,
  event text NOT NULL,
  message_id text,
  addresses jsonb NOT NULL,
  fields jsonb NOT NULL
);
CREATE INDEX mail_event_at ON public.mail_event USING brin (at);
CREATE INDEX mail_event_mail ON public.mail_event USING btree (mail_id) WHERE (mail_id IS NOT NULL);

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
  CONSTRAINT mailbox_pkey PRIMARY KEY (user_id, id),
  CONSTRAINT mailbox_role UNIQUE (user_id, role) DEFERRABLE,
  CONSTRAINT mailbox_sibling_name UNIQUE NULLS NOT DISTINCT (user_id, parent_id, name) DEFERRABLE
) WITH (fillfactor=50);

CREATE TABLE mailbox_subscription (
  user_id bigint NOT NULL,
  login text NOT NULL,
  mailbox_id bigint NOT NULL,
  CONSTRAINT mailbox_subscription_pkey PRIMARY KEY (user_id, login, mailbox_id)
);

CREATE TABLE masked_address (
  user_id bigint NOT NULL,
  id bigint NOT NULL,
  email text NOT NULL,
  label text NOT NULL,
  state text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  messages bigint NOT NULL DEFAULT 0,
  last_message_at timestamp with time zone,
  senders jsonb NOT NULL DEFAULT '[]'::jsonb,
  CONSTRAINT masked_address_pkey PRIMARY KEY (user_id, id)
) WITH (fillfactor=90);

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
  from_key text COLLATE "C" NOT NULL,
  to_key text COLLATE "C" NOT NULL,
  subject_key text COLLATE "C" NOT NULL,
  header bytea,
  structure text NOT NULL,
  scan text,
  authentication jsonb,
  CONSTRAINT message_pkey PRIMARY KEY (user_id, no)
);
CREATE INDEX message_blob ON public.message USING btree (user_id, sha256);

CREATE TABLE migration (
  number integer NOT NULL,
  name text NOT NULL,
  checksum text NOT NULL,
  oldest_program text NOT NULL,
  applied_at timestamp with time zone NOT NULL,
  CONSTRAINT migration_pkey PRIMARY KEY (number)
);

CREATE TABLE oauth_client (
  id text NOT NULL,
  name text NOT NULL,
  redirect_uris text[] NOT NULL,
  created_at timestamp with time zone NOT NULL,
  CONSTRAINT oauth_client_pkey PRIMARY KEY (id)
);

CREATE TABLE oauth_grant (
  user_id bigint NOT NULL,
  id text NOT NULL,
  login text NOT NULL,
  client_id text NOT NULL,
  name text NOT NULL,
  is_verified boolean NOT NULL,
  scope text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  code_hash bytea NOT NULL,
  code_expires_at timestamp with time zone NOT NULL,
  redirect_uri text NOT NULL,
  challenge text NOT NULL,
  family_hash bytea,
  refresh_hash bytea,
  used_at timestamp with time zone,
  network text,
  CONSTRAINT oauth_grant_pkey PRIMARY KEY (user_id, id)
);

CREATE TABLE operator (
  login text NOT NULL,
  user_id bigint NOT NULL,
  role text NOT NULL,
  domains text[],
  created_at timestamp with time zone NOT NULL,
  CONSTRAINT operator_pkey PRIMARY KEY (login)
);

CREATE TABLE passkey (
  user_id bigint NOT NULL,
  id bytea NOT NULL,
  public_key bytea NOT NULL,
  counter bigint NOT NULL,
  transports text[] NOT NULL,
  label text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  used_at timestamp with time zone,
  network text,
  CONSTRAINT passkey_pkey PRIMARY KEY (user_id, id)
);

CREATE TABLE push_holder (
  name text NOT NULL,
  alive_until timestamp with time zone NOT NULL,
  CONSTRAINT push_holder_pkey PRIMARY KEY (name)
);

CREATE TABLE push_subscription (
  user_id bigint NOT NULL,
  login text NOT NULL,
  id bigint NOT NULL,
  credential text NOT NULL,
  credential_expires_at timestamp with time zone,
  device_client_id text NOT NULL,
  url text NOT NULL,
  p256dh bytea,
  auth bytea,
  verification_code text NOT NULL,
  verification_sent boolean NOT NULL DEFAULT false,
  verified boolean NOT NULL DEFAULT false,
  expires_at timestamp with time zone,
  types text[],
  created_at timestamp with time zone NOT NULL,
  holder text,
  push_state text,
  attempts integer NOT NULL DEFAULT 0,
  failing_since timestamp with time zone,
  next_attempt_at timestamp with time zone,
  CONSTRAINT push_subscription_pkey PRIMARY KEY (user_id, login, id)
);

CREATE TABLE quarantine (
  id bigint NOT NULL,
  created_at timestamp with time zone NOT NULL,
  sha256 bytea NOT NULL,
  day date NOT NULL,
  pack bytea,
  size integer NOT NULL,
  mail_from text NOT NULL,
  recipients jsonb NOT NULL,
  junk_reason text,
  virus text NOT NULL,
  CONSTRAINT quarantine_pkey PRIMARY KEY (id)
);
CREATE INDEX quarantine_created ON public.quarantine USING btree (created_at);

CREATE TABLE received (
  user_id bigint NOT NULL,
  incoming_id bigint NOT NULL,
  received_at timestamp with time zone NOT NULL,
  CONSTRAINT received_pkey PRIMARY KEY (user_id, incoming_id)
);

CREATE TABLE received_report (
  id text NOT NULL,
  kind text NOT NULL,
  domain text NOT NULL,
  organization text NOT NULL,
  report_id text NOT NULL,
  sender text NOT NULL,
  begins timestamp with time zone NOT NULL,
  ends timestamp with time zone NOT NULL,
  received_at timestamp with time zone NOT NULL,
  policy jsonb NOT NULL,
  CONSTRAINT received_report_pkey PRIMARY KEY (id)
);
CREATE INDEX received_report_at ON public.received_report USING btree (received_at);

CREATE TABLE received_report_row (
  report text NOT NULL,
  no integer NOT NULL,
  source text NOT NULL,
  result text NOT NULL,
  number bigint NOT NULL,
  what jsonb NOT NULL,
  CONSTRAINT received_report_row_pkey PRIMARY KEY (report, no)
);

CREATE TABLE recovery_code (
  user_id bigint NOT NULL,
  hash bytea NOT NULL,
  created_at timestamp with time zone NOT NULL,
  CONSTRAINT recovery_code_pkey PRIMARY KEY (user_id, hash)
);

CREATE TABLE removed_account (
  account_id bigint NOT NULL,
  login text NOT NULL,
  removed_at timestamp with time zone NOT NULL,
  what jsonb NOT NULL,
  CONSTRAINT removed_account_pkey PRIMARY KEY (account_id)
);
CREATE INDEX removed_account_age ON public.removed_account USING btree (removed_at);
CREATE INDEX removed_account_login ON public.removed_account USING btree (login);

CREATE TABLE report_count (
  kind text NOT NULL,
  day date NOT NULL,
  domain text NOT NULL,
  key bytea NOT NULL,
  what jsonb NOT NULL,
  number bigint NOT NULL,
  CONSTRAINT report_count_pkey PRIMARY KEY (kind, day, domain, key)
);

CREATE TABLE retention_rule (
  id text NOT NULL,
  scope text NOT NULL,
  mailbox text,
  destroy_after integer,
  keep_for integer,
  who text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  CONSTRAINT retention_rule_pkey PRIMARY KEY (id)
);

CREATE TABLE search (
  user_id bigint NOT NULL,
  no bigint NOT NULL,
  received_at timestamp with time zone NOT NULL,
  terms tsvector NOT NULL,
  version smallint NOT NULL DEFAULT 0,
  CONSTRAINT search_pkey PRIMARY KEY (user_id, no)
);
CREATE INDEX search_received ON public.search USING btree (user_id, received_at DESC, no DESC);
CREATE INDEX search_terms ON public.search USING gin (terms) WITH (fastupdate='on', gin_pending_list_limit='2048');

CREATE TABLE search_part (
  user_id bigint NOT NULL,
  no bigint NOT NULL,
  part integer NOT NULL,
  terms tsvector NOT NULL,
  CONSTRAINT search_part_pkey PRIMARY KEY (user_id, no, part)
);
ALTER TABLE search_part ALTER terms SET STORAGE EXTERNAL;
CREATE INDEX search_part_terms ON public.search_part USING gin (terms) WITH (fastupdate=off);

CREATE TABLE sent_hour (
  user_id bigint NOT NULL,
  hour timestamp with time zone NOT NULL,
  messages integer NOT NULL,
  recipients integer NOT NULL,
  spam integer NOT NULL,
  away integer NOT NULL,
  hard integer NOT NULL,
  complaints integer NOT NULL,
  day_messages integer NOT NULL,
  day_recipients integer NOT NULL,
  day_spam integer NOT NULL,
  day_away integer NOT NULL,
  busiest integer NOT NULL,
  good_days integer NOT NULL,
  CONSTRAINT sent_hour_pkey PRIMARY KEY (user_id, hour)
) WITH (fillfactor=50);

CREATE TABLE sent_report (
  kind text NOT NULL,
  day date NOT NULL,
  domain text NOT NULL,
  taken_until timestamp with time zone NOT NULL,
  sent_at timestamp with time zone,
  CONSTRAINT sent_report_pkey PRIMARY KEY (kind, day, domain)
);

CREATE TABLE setting (
  name text NOT NULL,
  value text NOT NULL,
  CONSTRAINT setting_pkey PRIMARY KEY (name)
);

CREATE TABLE source_address (
  address text NOT NULL,
  since timestamp with time zone NOT NULL,
  rests_until timestamp with time zone,
  rest_reason text,
  rests integer NOT NULL DEFAULT 0,
  CONSTRAINT source_address_pkey PRIMARY KEY (address)
);

CREATE TABLE source_day (
  address text NOT NULL,
  provider text NOT NULL,
  day date NOT NULL,
  messages integer NOT NULL,
  refused integer NOT NULL,
  CONSTRAINT source_day_pkey PRIMARY KEY (address, provider, day)
);

CREATE TABLE spam_token (
  user_id bigint NOT NULL,
  token integer NOT NULL,
  ham integer NOT NULL,
  spam integer NOT NULL,
  seen_on date NOT NULL,
  CONSTRAINT spam_token_pkey PRIMARY KEY (user_id, token)
) WITH (fillfactor=90);

CREATE TABLE sts_policy (
  domain text NOT NULL,
  policy_id text NOT NULL,
  policy text NOT NULL,
  checked_at timestamp with time zone NOT NULL,
  used_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  CONSTRAINT sts_policy_pkey PRIMARY KEY (domain)
);
CREATE INDEX sts_policy_checked ON public.sts_policy USING btree (checked_at);

CREATE TABLE submission (
  user_id bigint NOT NULL,
  id bigint NOT NULL,
  identity_id bigint NOT NULL,
  email_id bigint NOT NULL,
  thread_id bigint NOT NULL,
  envelope jsonb NOT NULL,
  sha256 bytea NOT NULL,
  send_at timestamp with time zone NOT NULL,
  undo_status text NOT NULL,
  dsn_blob_ids text[] NOT NULL DEFAULT '{}'::text[],
  mdn_blob_ids text[] NOT NULL DEFAULT '{}'::text[],
  created_at timestamp with time zone NOT NULL,
  destroyed boolean NOT NULL DEFAULT false,
  spam_tenths integer,
  bulk boolean NOT NULL DEFAULT false,
  CONSTRAINT submission_pkey PRIMARY KEY (user_id, id)
);
CREATE INDEX submission_blob ON public.submission USING btree (user_id, sha256);
CREATE INDEX submission_email ON public.submission USING btree (user_id, email_id);
CREATE INDEX submission_sent ON public.submission USING btree (user_id, send_at, id);

CREATE TABLE suppression (
  user_id bigint NOT NULL,
  address text NOT NULL,
  reason text NOT NULL,
  since timestamp with time zone NOT NULL,
  CONSTRAINT suppression_pkey PRIMARY KEY (user_id, address)
);

CREATE TABLE thread_ref (
  user_id bigint NOT NULL,
  id_hash bigint NOT NULL,
  subject_hash bigint NOT NULL,
  thread_id bigint NOT NULL,
  CONSTRAINT thread_ref_pkey PRIMARY KEY (user_id, id_hash, subject_hash)
);
CREATE INDEX thread_ref_thread ON public.thread_ref USING btree (user_id, thread_id);

CREATE TABLE token (
  user_id bigint NOT NULL,
  hash bytea NOT NULL,
  id text NOT NULL,
  login text NOT NULL,
  label text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone,
  is_web boolean NOT NULL DEFAULT false,
  agent text,
  used_at timestamp with time zone,
  network text,
  grant_id text,
  scope text,
  CONSTRAINT token_pkey PRIMARY KEY (user_id, hash)
);
CREATE INDEX token_hash ON public.token USING btree (hash);

CREATE TABLE totp (
  user_id bigint NOT NULL,
  secret text NOT NULL,
  last_step bigint NOT NULL,
  created_at timestamp with time zone NOT NULL,
  used_at timestamp with time zone,
  CONSTRAINT totp_pkey PRIMARY KEY (user_id)
);

CREATE TABLE traffic (
  minute timestamp with time zone NOT NULL,
  kind text NOT NULL,
  what text NOT NULL,
  count bigint NOT NULL,
  CONSTRAINT traffic_pkey PRIMARY KEY (minute, kind, what)
);

CREATE TABLE vacation (
  user_id bigint NOT NULL,
  is_enabled boolean NOT NULL,
  from_date timestamp with time zone,
  to_date timestamp with time zone,
  subject text,
  text_body text,
  html_body text,
  CONSTRAINT vacation_pkey PRIMARY KEY (user_id)
);

CREATE TABLE vacation_answer (
  user_id bigint NOT NULL,
  sender text NOT NULL,
  answered_at timestamp with time zone NOT NULL,
  CONSTRAINT vacation_answer_pkey PRIMARY KEY (user_id, sender)
);

ALTER TABLE dkim_key ADD CONSTRAINT dkim_key_domain_fkey FOREIGN KEY (domain) REFERENCES domain(name) ON DELETE CASCADE;

ALTER TABLE known_network ADD CONSTRAINT known_network_user_id_fkey FOREIGN KEY (user_id) REFERENCES account(user_id) ON DELETE CASCADE;

ALTER TABLE received_report_row ADD CONSTRAINT received_report_row_report_fkey FOREIGN KEY (report) REFERENCES received_report(id) ON DELETE CASCADE;

ALTER FUNCTION pg_catalog.ts_match_vq(tsvector,tsquery) COST 800;
