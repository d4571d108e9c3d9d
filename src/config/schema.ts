import { availableParallelism, hostname } from "node:os";
import { acceptance } from "./acceptance.ts";
import { type DomainRoute, domainRoute, showDomainRoute } from "./domain-route.ts";
import { transportSecurity } from "./domain-tls.ts";
import { identityProvider } from "./identity-provider.ts";
import { type Declaration, type Option, option } from "./option.ts";
import { type RedisUrl, redisPrefix, redisUrl, showRedisUrl } from "./redis-url.ts";
import {
  type Address,
  type BodiesPlace,
  bodiesPlace,
  boolean,
  type ClamdPlace,
  dnsServer,
  duration,
  hostName,
  integer,
  type ListenPlace,
  list,
  listenAddress,
  network,
  oneOf,
  optionalAddress,
  optionalAddressOfMail,
  optionalBodiesPlace,
  optionalClamdPlace,
  optionalName,
  optionalPlace,
  publicUrl,
  showAddress,
  showBodiesPlace,
  showClamdPlace,
  showDuration,
  showPlace,
  size,
  someOf,
  spamFilter,
  text,
  url,
  urlOfHosts,
  webOrigin,
} from "./values.ts";

const cores = availableParallelism();
const maxNumber = Number.MAX_SAFE_INTEGER;

/** All options. Flags, environment, help, types and `posthorn config` are made from this table. */
const declarations = {
  data: option({ default: "./data", parse: text, help: "Folder of the database, message bodies, keys and logs." }),
  http: option<Address>({
    default: "127.0.0.1:8080",
    parse: listenAddress,
    show: showAddress,
    help: "Address (host:port) for JMAP clients.",
  }),
  signUp: option<string[]>({
    default: "",
    shown: "none",
    parse: list(hostName),
    show: (names) => names.join(","),
    help: "Domains where anybody may make an account in the inbox, a comma list: 3 a day from one network, 100 a day in all.",
  }),
  web: option({
    default: "on",
    parse: boolean,
    show: (value: boolean) => (value ? "on" : "off"),
    help: "Serve the inbox, a page for browsers, at / of --http; off for JMAP alone.",
  }),
  smtp: option<Address>({
    default: "127.0.0.1:2525",
    parse: listenAddress,
    show: showAddress,
    help: "Address (host:port) for mail coming in.",
  }),
  submission: option<Address | undefined>({
    default: "off",
    parse: optionalAddress,
    show: showAddress,
    help: "Address (host:port, usually port 587) where users of mail programs sign in and send, with STARTTLS; off for none.",
  }),
  submissions: option<Address | undefined>({
    default: "off",
    parse: optionalAddress,
    show: showAddress,
    help: "The same with TLS from the first byte (usually port 465); off for none.",
  }),
  lmtp: option<ListenPlace | undefined>({
    default: "off",
    parse: optionalPlace,
    show: showPlace,
    help: "Address (host:port) or unix:/path where a mail server in front hands over mail by LMTP; off for none.",
  }),
  lmtpPeers: option({
    default: "",
    shown: "this machine alone",
    parse: list(network),
    help: "Mail servers, beside this machine, that may use --lmtp: a comma list of addresses and networks.",
  }),
  lmtpResults: option({
    default: "",
    shown: "nobody's",
    parse: optionalName,
    help: "Name (authserv-id) whose Authentication-Results are believed in mail that comes by --lmtp.",
  }),
  https: option<Address | undefined>({
    default: "off",
    parse: optionalAddress,
    show: showAddress,
    help: "Address (host:port, usually port 443) for JMAP and the pages over TLS; off for none.",
  }),
  httpRedirect: option<Address | undefined>({
    default: "off",
    parse: optionalAddress,
    show: showAddress,
    help: "Address (usually port 80) that leads browsers to --https and answers the challenges of --acme; off for none.",
  }),
  operator: option<Address | undefined>({
    default: "127.0.0.1:8081",
    parse: optionalAddress,
    show: showAddress,
    help: "Address (host:port) of the operators' page, for accounts that posthorn operator add has marked; off for none.",
  }),
  metrics: option({
    default: "127.0.0.1:9090",
    parse: optionalAddress,
    show: showAddress,
    help: "Address (host:port) for health and Prometheus metrics; empty turns it off.",
  }),
  traces: option({
    default: "",
    shown: "none",
    secret: true,
    parse: url("http", "https"),
    help: "OpenTelemetry collector to send traces to, such as http://127.0.0.1:4318 (OTLP over HTTP).",
  }),
  databaseUrl: option({
    default: "",
    shown: "the Postgres that comes with Posthorn",
    env: "DATABASE_URL",
    secret: true,
    parse: urlOfHosts("postgres", "postgresql"),
    help: "Postgres or Citus to use, postgres://user:password@host/database; with standbys, their hosts as well: host:port,host:port.",
  }),
  redis: option<RedisUrl | undefined>({
    default: "",
    shown: "none",
    secret: true,
    parse: redisUrl,
    show: showRedisUrl,
    help: "Redis 7 that the processes share, redis://user:password@host:port, or rediss:// for TLS; several hosts, separated by commas, are a Cluster, or Sentinels with ?sentinel=NAME.",
  }),
  redisPrefix: option({
    default: "posthorn:",
    parse: redisPrefix,
    help: "What the names of keys and channels in Redis begin with.",
  }),
  bodies: option<BodiesPlace>({
    default: "disk",
    parse: bodiesPlace,
    show: showBodiesPlace,
    help: "Where message bodies are kept: disk (the data folder) or s3://bucket/prefix.",
  }),
  bodiesFallback: option<BodiesPlace | undefined>({
    default: "",
    shown: "none",
    parse: optionalBodiesPlace,
    show: showBodiesPlace,
    help: "Where bodies are read that --bodies lacks, until posthorn blobs copy has moved them: disk or s3://bucket/prefix.",
  }),
  s3Endpoint: option({
    default: "",
    shown: "Amazon's, by region",
    parse: url("http", "https"),
    help: "URL of the S3 service, such as https://s3.example.com.",
  }),
  s3Region: option({ default: "us-east-1", parse: text, help: "Region of the bucket." }),
  s3PathStyle: option({
    default: "false",
    parse: boolean,
    help: "Name the bucket in the path of URLs instead of the host name, as many S3 services other than Amazon's need it.",
  }),
  s3Ca: option({
    default: "",
    shown: "the usual authorities",
    parse: text,
    help: "PEM file of the authorities that sign the S3 service's certificate.",
  }),
  s3AccessKey: option({
    default: "",
    shown: "the role of the machine, or what else the AWS SDK finds",
    parse: text,
    secret: true,
    help: "Access key of the S3 service.",
  }),
  s3SecretKey: option({ default: "", shown: "see --s3-access-key", parse: text, secret: true, help: "Its secret." }),
  s3Encryption: option<"" | "AES256" | "aws:kms">({
    default: "",
    shown: "what the bucket is set to",
    parse: oneOf("", "AES256", "aws:kms"),
    help: "How the S3 service is asked to encrypt bodies: AES256 or aws:kms.",
  }),
  s3KmsKey: option({
    default: "",
    shown: "the account's own",
    parse: text,
    help: "Id of the key for --s3-encryption aws:kms.",
  }),
  packs: option({
    default: "true",
    parse: boolean,
    help: "In S3, write mails under 64 KB that come in together as one object; those written so are read in any case.",
  }),
  publicUrl: option({
    default: "",
    shown: "from the request's Host",
    parse: publicUrl,
    help: "URL under which clients reach this server, such as https://mail.example.com.",
  }),
  trustedProxies: option({
    default: "",
    shown: "none",
    parse: list(network),
    help: "Proxies whose X-Forwarded-For, -Proto and -Host or Forwarded are trusted, a comma list of addresses and networks such as 127.0.0.1/32.",
  }),
  trustedOrigins: option({
    default: "",
    shown: "the public URL's",
    parse: list(webOrigin),
    help: "Origins of web pages, beside this server's own, that may open a WebSocket with Basic credentials, a comma list such as https://webmail.example.com.",
  }),
  hostname: option({
    default: hostname(),
    shown: "this machine's name",
    parse: hostName,
    help: "Name in SMTP greetings and Received headers.",
  }),
  tlsCert: option({ default: "", shown: "self-made", parse: text, help: "PEM file of the TLS certificate chain." }),
  tlsKey: option({ default: "", shown: "self-made", parse: text, help: "PEM file of the TLS certificate's key." }),
  acme: option({
    default: "",
    shown: "none",
    parse: list(hostName),
    help: "Names to get a TLS certificate for by ACME, and to renew it, a comma list; this agrees to the authority's terms of service.",
  }),
  acmeDirectory: option({
    default: "https://acme-v02.api.letsencrypt.org/directory",
    parse: url("https"),
    help: "Directory URL of the ACME authority.",
  }),
  acmeEmail: option({ default: "", shown: "none", parse: text, help: "Whom the ACME authority may write to." }),
  acmeCa: option({
    default: "",
    shown: "the usual authorities",
    parse: text,
    help: "PEM file of the authorities that sign the ACME directory's own certificate.",
  }),
  resolver: option({
    default: "",
    shown: "the system's",
    parse: list(dnsServer),
    help: "DNS servers to ask, a comma list of ip or ip:port.",
  }),
  ...identityProvider,
  ...acceptance,
  smarthost: option({
    default: "",
    shown: "none, mail is delivered directly",
    secret: true,
    parse: url("smtp", "smtps"),
    help: "Server that takes all mail going out, smtp://user:password@host:port. A password needs TLS and a valid certificate.",
  }),
  routes: option({
    default: "",
    shown: "none",
    parse: list(domainRoute),
    show: (routes: DomainRoute[]) => routes.map(showDomainRoute).join(","),
    help: "Servers for the mail of some domains instead of their own, a comma list of domain=host:port, or domain=host:port:/path of a file with user:password.",
  }),
  ...transportSecurity,
  reportsFrom: option({
    default: "",
    shown: "none, no reports are sent",
    parse: optionalAddressOfMail,
    help: "Address of an account here, such as postmaster@example.org, that sends DMARC and TLS reports once a day to the domains that want them.",
  }),
  signedReturnPath: option({
    default: "true",
    parse: boolean,
    help: "Send mail with a signed return path, so that bounces are recognised. Turn it off if the smart host takes only known senders.",
  }),
  pools: option({
    default: "",
    shown: "none, the system chooses",
    parse: text,
    help: "File of the addresses that mail leaves from, by class, each with its name and warm-up; see docs/smtp.md.",
  }),
  mxPort: option({ default: "25", parse: integer(1, 65_535), help: "Port for direct delivery to other mail servers." }),
  roles: option({
    default: "http,smtp-in,smtp-out,worker",
    parse: someOf(oneOf("http", "push", "smtp-in", "smtp-out", "worker")),
    help: "What this server does, a comma list of http, push, smtp-in, smtp-out, worker.",
  }),
  pushUrl: option({
    default: "",
    shown: "none, the role http serves them",
    parse: publicUrl,
    help: "URL under which clients reach WebSockets and event sources, if servers of the role push serve them.",
  }),
  workers: option({
    default: String(cores < 4 ? 1 : cores),
    shown: "1 on fewer than 4 cores, else their number",
    parse: integer(1, 1_024),
    help: "Processes that share the work of this server; 1 forks none.",
  }),
  drainDelay: option({
    default: "0s",
    parse: duration,
    show: showDuration,
    help: "How long /readyz says that the server stops before its doors close, for a balancer to turn away.",
  }),
  readOnly: option({
    default: "false",
    parse: boolean,
    help: "Serve reads alone, from a standby: accounts are read-only, no mail is taken or sent, and push is paused. Needs --roles http and --database-url.",
  }),
  logLevel: option({
    default: "info",
    parse: oneOf("debug", "info", "warn", "error", "silent"),
    help: "Least important events to log: debug, info, warn, error or silent.",
  }),
  maxSizeUpload: option({ default: "50_000_000", parse: size, help: "Largest upload; JMAP's maxSizeUpload." }),
  maxSizeRequest: option({ default: "10_000_000", parse: size, help: "Largest API request; JMAP's maxSizeRequest." }),
  maxMessageSize: option({ default: "50_000_000", parse: size, help: "Largest message taken in or sent." }),
  defaultQuota: option({
    default: "20GB",
    parse: size,
    help: "Mail that a new account may hold; 0 means no limit. See posthorn account quota.",
  }),
  maxCallsInRequest: option({ default: "50", parse: integer(1, maxNumber), help: "Method calls in one API request." }),
  maxObjectsInGet: option({ default: "1000", parse: integer(1, maxNumber), help: "Objects in one /get call." }),
  maxObjectsInSet: option({ default: "1000", parse: integer(1, maxNumber), help: "Changes in one /set call." }),
  maxConcurrentRequests: option({
    default: "8",
    parse: integer(1, maxNumber),
    help: "API requests at once, per login.",
  }),
  maxConcurrentUpload: option({ default: "4", parse: integer(1, maxNumber), help: "Uploads at once, per login." }),
  allowPrivateTargets: option({
    default: "false",
    parse: boolean,
    help: "Allow delivery and pushes to loopback and private addresses; a push there may go without TLS when its URL names the address.",
  }),
  retrySchedule: option({
    default: "2m,5m,10m,15m,30m,1h,2h,4h",
    parse: someOf(duration),
    show: (pauses: number[]) => pauses.map(showDuration).join(","),
    help: "Pauses between attempts to deliver, a comma list of durations; the last repeats.",
  }),
  retryFor: option({
    default: "5d",
    parse: duration,
    show: showDuration,
    help: "How long to try before a message is returned.",
  }),
  delayWarning: option({
    default: "4h",
    parse: duration,
    show: showDuration,
    help: "After how long the sender of a message that waits is told so, once; 0s for never.",
  }),
  sendingLimits: option({
    default: "true",
    parse: boolean,
    help: "Limit to how many recipients an account sends in an hour and a day; the limits grow with its age and good behaviour. See posthorn standing.",
  }),
  mailLogFor: option({
    default: "30d",
    parse: duration,
    show: showDuration,
    help: "How long the steps of each mail, each attempt with what the servers said, and the error queue are kept.",
  }),
  keepDeleted: option({
    default: "30d",
    parse: duration,
    show: showDuration,
    help: "How long what users and clients destroy, and accounts that are removed, can be had back (posthorn undelete); 0 for not at all.",
  }),
  spam: option<string>({
    default: "builtin",
    parse: spamFilter,
    help: "Who judges whether mail is spam: builtin, off, or the URL of an rspamd, such as http://127.0.0.1:11334.",
  }),
  spamScore: option({
    default: "5",
    parse: integer(1, 100),
    help: "From which score of the built-in judge on mail goes to Junk.",
  }),
  clamd: option<ClamdPlace | undefined>({
    default: "",
    shown: "none, mail is not scanned for viruses",
    parse: optionalClamdPlace,
    show: showClamdPlace,
    help: "The clamd that scans all mail for viruses: host:port or the path of its socket.",
  }),
  clamdAway: option<"defer" | "hold">({
    default: "defer",
    parse: oneOf("defer", "hold"),
    help: "What becomes of mail while clamd is away: defer (451 to the sender) or hold (taken, and delivered once it was scanned).",
  }),
  cacheBytes: option({ default: "64MB", parse: size, help: "Memory for recent message bodies." }),
  relaxedUsing: option({
    default: "false",
    parse: boolean,
    help: 'Accept JMAP calls whose capability is missing from "using".',
  }),
  demo: option({
    default: "true",
    parse: boolean,
    help: "Create a demo domain with accounts on the first start.",
  }),
};

type Declarations = typeof declarations;
export type OptionName = keyof Declarations;
export type Config = { [Name in OptionName]: ReturnType<Declarations[Name]["parse"]> };

const words = (name: string, separator: string) => name.replace(/[A-Z]/g, (letter) => separator + letter.toLowerCase());

function complete([name, given]: [string, Declaration<unknown>]): [string, Option<unknown>] {
  return [
    name,
    {
      default: given.default,
      parse: given.parse,
      show: given.show ?? String,
      secret: given.secret ?? false,
      env: given.env ?? `POSTHORN_${words(name, "_").toUpperCase()}`,
      flag: words(name, "-"),
      help: `${given.help} (Default: ${given.shown ?? given.default})`,
    },
  ];
}

export const schema = Object.fromEntries(Object.entries(declarations).map(complete)) as Record<
  OptionName,
  Option<Config[OptionName]>
>;
