import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { generate } from "selfsigned";

/** Where each server listens, and the domains whose mail it takes: one with TLS, one without. */
export const hosts = {
  posthorn: { name: "mx.posthorn.test", tls: "127.0.0.2", plain: "127.0.0.2" },
  exim: { name: "mx.exim.test", tls: "127.0.0.3", plain: "127.0.0.5" },
  postfix: { name: "mx.postfix.test", tls: "127.0.0.4", plain: "127.0.0.6" },
} as const;
export type Host = keyof typeof hosts;
export const peers = ["exim", "postfix"] as const;
export type Peer = (typeof peers)[number];
export const ways = ["tls", "plain"] as const;
export type Way = (typeof ways)[number];

export const domainOf = (host: Host, way: Way) => `${way}.${host}.test`;

/** Writes the peers' configuration below a folder that `enter.sh` mounts over the system's own. */
export async function writeSettings(folder: string): Promise<void> {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const { cert, private: key } = await generate([{ name: "commonName", value: "peers.test" }], {
    keySize: 2048,
    algorithm: "sha256",
  });
  write("cert.pem", cert);
  write("key.pem", key);
  write("dnsmasq.conf", dnsmasq());
  write("etc/exim4/exim4.conf", exim(folder));
  write("etc/postfix/main.cf", postfix(folder));
  write("etc/postfix/master.cf", postfixServices);
}

function dnsmasq(): string {
  const records = Object.entries(hosts).flatMap(([host, addresses]) =>
    ways.flatMap((way) => {
      const [domain, name] = [domainOf(host as Host, way), `${way}.${addresses.name}`];
      return [`mx-host=${domain},${name},10`, `host-record=${name},${addresses[way]}`];
    }),
  );
  return [
    "no-resolv",
    "no-hosts",
    "local=/#/",
    "listen-address=127.0.0.1",
    "bind-interfaces",
    "user=root",
    ...records,
    "",
  ].join("\n");
}

function exim(folder: string): string {
  return `primary_hostname = ${hosts.exim.name}
spool_directory = ${folder}/exim
log_file_path = ${folder}/exim/%slog
pid_file_path = ${folder}/exim/pid
local_interfaces = ${hosts.exim.tls} : ${hosts.exim.plain}
daemon_smtp_ports = 25
tls_certificate = ${folder}/cert.pem
tls_privatekey = ${folder}/key.pem
tls_advertise_hosts = \${if eq{$received_ip_address}{${hosts.exim.tls}}{*}{}}
domainlist ours = ${ways.map((way) => domainOf("exim", way)).join(" : ")}
acl_smtp_rcpt = take
smtp_accept_max = 0
smtp_accept_queue_per_connection = 0
queue_run_max = 5
rfc1413_query_timeout = 0s
keep_environment =

begin acl
take:
  accept

begin routers
ours:
  driver = accept
  domains = +ours
  transport = box
plain:
  driver = dnslookup
  domains = ${domainOf("posthorn", "plain")}
  transport = plain
  self = send
  no_more
others:
  driver = dnslookup
  transport = tls
  self = send

begin transports
box:
  driver = appendfile
  directory = ${folder}/exim/box
  maildir_format
  user = Debian-exim
  group = Debian-exim
plain:
  driver = smtp
  allow_localhost
  hosts_avoid_tls = *
tls:
  driver = smtp
  allow_localhost
  hosts_require_tls = *

begin retry
* * F,1h,1s
`;
}

function postfix(folder: string): string {
  return `compatibility_level = 3.6
queue_directory = ${folder}/postfix/queue
data_directory = ${folder}/postfix/data
maillog_file = ${folder}/postfix/log
maillog_file_prefixes = ${folder}
mail_owner = postfix
setgid_group = postdrop
myhostname = ${hosts.postfix.name}
mydestination =
alias_maps =
alias_database =
inet_interfaces = all
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = ${ways.map((way) => domainOf("postfix", way)).join(", ")}
virtual_mailbox_base = ${folder}/postfix
virtual_mailbox_maps = static:box/
virtual_uid_maps = static:64002
virtual_gid_maps = static:64002
smtpd_tls_cert_file = ${folder}/cert.pem
smtpd_tls_key_file = ${folder}/key.pem
smtpd_tls_security_level = may
smtp_tls_security_level = encrypt
smtp_tls_policy_maps = inline:{${domainOf("posthorn", "plain")}=none}
smtp_tls_loglevel = 1
queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 4s
`;
}

const postfixServices = `${hosts.postfix.tls}:25 inet n - n - - smtpd
${hosts.postfix.plain}:25 inet n - n - - smtpd -o smtpd_tls_security_level=none
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;
