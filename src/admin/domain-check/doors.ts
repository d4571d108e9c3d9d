import { connect as connectTcp, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, type PeerCertificate, type TLSSocket } from "node:tls";
import type { Checked } from "./checked.ts";
import { addressesOf, lookUp, type Resolve } from "./look-up.ts";

export type DoorKind = "smtp" | "submission" | "submissions" | "https" | "httpRedirect";

/** Where others reach the server. */
export interface Door {
  kind: DoorKind;
  /** An address, or a name for the system to look up. */
  host: string;
  port: number;
  /** Only this machine reaches it. */
  isHidden?: boolean;
}

export interface DoorMeans {
  /** The name that the certificate must bear. */
  hostname: string;
  now: Date;
  /** How long a door may take to answer. (Default: 10,000) */
  maxMs?: number;
}

const usualMs = 10_000;
/** Renewals are due long before. */
const soonMs = 14 * 86_400_000;

/** Opens the door as a stranger would, and says what is there; with its certificate, where the door has TLS. */
export async function checkDoor(door: Door, means: DoorMeans): Promise<Checked[]> {
  const { kind, host, port } = door;
  const about = { record: `port ${port}`, name: host, expected: null, needed: kind !== "httpRedirect" };
  try {
    const { said, certificate } = await withDeadline(openers[kind], door, means);
    const hidden = `only this machine reaches it: start the server with ${flagOf[kind]}`;
    const first: Checked = {
      ...about,
      found: [said],
      ...(door.isHidden ? { state: "wrong", advice: hidden } : { state: "right", advice: null }),
    };
    return certificate ? [first, checkCertificate(certificate, door, means)] : [first];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const advice =
      code === "ECONNREFUSED"
        ? `nothing listens there: start the server with ${flagOf[kind]}`
        : `let connections to port ${port} through the firewall, and through the router to this machine`;
    return [{ ...about, state: "wrong", found: [message], advice }];
  }
}

const flagOf: Record<DoorKind, string> = {
  smtp: "--smtp 0.0.0.0:25",
  submission: "--submission 0.0.0.0:587",
  submissions: "--submissions 0.0.0.0:465",
  https: "--https 0.0.0.0:443",
  httpRedirect: "--http-redirect 0.0.0.0:80",
};

interface Seen {
  said: string;
  certificate?: { peer: PeerCertificate; fault: string | undefined };
}
type Opener = (door: Door, means: DoorMeans, sockets: Socket[]) => Promise<Seen>;

async function withDeadline(open: Opener, door: Door, means: DoorMeans): Promise<Seen> {
  const sockets: Socket[] = [];
  const { maxMs = usualMs } = means;
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${maxMs / 1000} s`)), maxMs);
  try {
    return await Promise.race([open(door, means, sockets), late.promise]);
  } finally {
    clearTimeout(timer);
    for (const socket of sockets) {
      socket.on("error", () => {});
      socket.destroy();
    }
  }
}

const openers: Record<DoorKind, Opener> = {
  smtp: openSmtp,
  submission: openSmtp,
  submissions: async (door, means, sockets) => {
    const secure = await secured({ host: door.host, port: door.port }, means, sockets);
    return { said: await greeting(secure), certificate: certificateOf(secure) };
  },
  https: async (door, means, sockets) => {
    const secure = await secured({ host: door.host, port: door.port }, means, sockets);
    secure.write(`GET /.well-known/jmap HTTP/1.1\r\nHost: ${means.hostname}\r\nConnection: close\r\n\r\n`);
    const said = await line(secure);
    // Without credentials, JMAP asks for them.
    if (!/^HTTP\/1\.1 401 /.test(said)) throw new Error(`no JMAP is served there: ${said}`);
    return { said, certificate: certificateOf(secure) };
  },
  httpRedirect: async ({ host, port }, { hostname }, sockets) => {
    const socket = await connected(host, port, sockets);
    socket.write(`GET / HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
    const said = await line(socket);
    if (!/^HTTP\/1\.1 30[18] /.test(said)) throw new Error(`no redirect to HTTPS is served there: ${said}`);
    return { said };
  },
};

async function openSmtp({ host, port }: Door, means: DoorMeans, sockets: Socket[]): Promise<Seen> {
  const socket = await connected(host, port, sockets);
  const said = await greeting(socket);
  socket.write(`EHLO ${means.hostname}\r\n`);
  const offers = await reply(socket);
  if (!/^250[- ]STARTTLS$/im.test(offers)) return { said };
  socket.write("STARTTLS\r\n");
  await reply(socket);
  const secure = await secured({ socket }, means, sockets);
  return { said, certificate: certificateOf(secure) };
}

function connected(host: string, port: number, sockets: Socket[]): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port }, () => resolve(socket));
    socket.on("error", reject);
    sockets.push(socket);
  });
}

/** Connects whoever signed the certificate: what is wrong with it is told apart. */
function secured(
  where: { host: string; port: number } | { socket: Socket },
  { hostname }: DoorMeans,
  sockets: Socket[],
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const options = { ...where, servername: hostname, rejectUnauthorized: false, minVersion: "TLSv1.2" } as const;
    const secure = connectTls(options, () => resolve(secure));
    secure.on("error", reject);
    // Node dies of a socket that is destroyed below TLS; what lies over it destroys both.
    if ("socket" in where) sockets.splice(sockets.indexOf(where.socket), 1, secure);
    else sockets.push(secure);
  });
}

function certificateOf(socket: TLSSocket): { peer: PeerCertificate; fault: string | undefined } {
  const { authorized, authorizationError } = socket;
  return { peer: socket.getPeerCertificate(), fault: authorized ? undefined : String(authorizationError) };
}

/** A whole reply of RFC 5321 §4.2. */
function reply(socket: Socket): Promise<string> {
  return until(socket, (text) => /^\d{3}(?: .*)?\r?\n$/m.test(text.split("\n").slice(-2).join("\n")));
}

async function greeting(socket: Socket): Promise<string> {
  const [said = ""] = (await reply(socket)).split(/\r?\n/);
  if (!said.startsWith("220")) throw new Error(`it greets with ${said}`);
  return said;
}

const line = async (socket: Socket) => (await until(socket, (text) => text.includes("\n"))).split(/\r?\n/)[0]!;

const maxOctets = 16_384;

function until(socket: Socket, isWhole: (text: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const hear = (octets: Buffer) => {
      text += octets.toString("latin1");
      if (!isWhole(text) && text.length < maxOctets) return;
      socket.off("data", hear);
      socket.pause();
      resolve(text);
    };
    socket.on("data", hear);
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the connection was closed")));
    socket.resume();
  });
}

function checkCertificate(
  { peer, fault }: NonNullable<Seen["certificate"]>,
  { kind, port }: Door,
  { hostname, now }: DoorMeans,
): Checked {
  const end = new Date(peer.valid_to);
  const about = {
    record: `certificate, port ${port}`,
    name: hostname,
    found: [`${peer.subjectaltname ?? peer.subject.CN}, until ${end.toISOString().slice(0, 10)}`],
    expected: null,
    // RFC 7435: between mail servers, any certificate protects from listeners.
    needed: kind !== "smtp",
  };
  const renew = "a new one: --acme gets and renews it; of your own, renew the files of --tls-cert and --tls-key";
  if (end < now) return { ...about, state: "wrong", advice: `it has ended; this server needs ${renew}` };
  if (checkServerIdentity(hostname, peer)) {
    return { ...about, state: "wrong", advice: `it is not for ${hostname}: this server needs ${renew}` };
  }
  if (fault) {
    const advice = `clients refuse it (${fault}): --acme ${hostname} gets one that they take`;
    return { ...about, state: "wrong", advice };
  }
  if (end.getTime() - now.getTime() < soonMs) {
    return { ...about, state: "wrong", advice: `it ends soon; this server needs ${renew}` };
  }
  return { ...about, state: "right", advice: null };
}

/** Whether mail can leave: a server of the probed domain must answer at its port 25. */
export async function checkOutgoing({
  resolver,
  probe,
  port,
}: {
  resolver: Resolve;
  probe: string;
  port: number;
}): Promise<Checked> {
  const about = { record: "outgoing port 25", name: probe, expected: null, needed: true };
  const [first] = ((await lookUp(resolver, probe, "MX")) ?? []).toSorted((one, other) => one.priority - other.priority);
  const [address] = first ? ((await addressesOf(resolver, first.exchange)) ?? []) : [];
  if (!address) {
    const advice = `DNS names no server of ${probe} to try: name another domain with --probe`;
    return { ...about, state: "unknown", found: [], advice };
  }
  try {
    const { said } = await withDeadline(
      async (_door, _means, sockets) => ({ said: await greeting(await connected(address, port, sockets)) }),
      { kind: "smtp", host: address, port },
      { hostname: probe, now: new Date() },
    );
    return { ...about, state: "right", found: [said], advice: null };
  } catch (error) {
    const advice =
      "many providers block it: ask yours to open it, or send all mail through a server of theirs (--smarthost)";
    return { ...about, state: "wrong", found: [`${address}: ${(error as Error).message}`], advice };
  }
}
