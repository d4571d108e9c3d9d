import { networkOf } from "../../auth/throttle.ts";
import type { Clock } from "../../base/clock.ts";
import { Refusal } from "./reply.ts";

const mostPerAddress = 100;
const mostMessagesPerMinute = 3_000;
const mostUnknownRecipients = 50;
const mostAddresses = 50_000;

interface Peer {
  connections: number;
  /** The minute that is counted. */
  minute: number;
  messages: number;
}

const loopback = /^(127\.|::1$|::ffff:127\.)/;

/** What one address, or one network of IPv6, may do, high enough for any honest server. Our own machine is not limited. */
export class PeerLimits {
  readonly #clock: Clock;
  readonly #peers = new Map<string, Peer>();
  readonly #unknown = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws Refusal. */
  connected(address: string): void {
    const peer = this.#peer(address);
    peer.connections++;
    if (!loopback.test(address) && peer.connections > mostPerAddress) {
      throw new Refusal(421, "4.7.0 too many connections from your address");
    }
  }

  /** Without an address: one that was turned away before it was counted. */
  closed(address: string | undefined, session: string): void {
    this.#unknown.delete(session);
    if (address === undefined) return;
    const peer = this.#peers.get(networkOf(address));
    if (peer && peer.connections > 0) peer.connections--;
  }

  /** Throws Refusal. */
  message(address: string): void {
    const peer = this.#peer(address);
    const minute = Math.floor(this.#clock.now().getTime() / 60_000);
    if (peer.minute !== minute) Object.assign(peer, { minute, messages: 0 });
    peer.messages++;
    if (!loopback.test(address) && peer.messages > mostMessagesPerMinute) {
      throw new Refusal(451, "4.7.0 too many messages from your address, try again later");
    }
  }

  /** Whoever guesses addresses is sent away. */
  unknownRecipient(address: string, session: string): void {
    const count = (this.#unknown.get(session) ?? 0) + 1;
    this.#unknown.set(session, count);
    if (!loopback.test(address) && count > mostUnknownRecipients) {
      throw new Refusal(421, "4.7.0 too many unknown recipients");
    }
  }

  #peer(address: string): Peer {
    const network = networkOf(address);
    let peer = this.#peers.get(network);
    if (!peer) {
      if (this.#peers.size >= mostAddresses) this.#forget();
      peer = { connections: 0, minute: 0, messages: 0 };
      this.#peers.set(network, peer);
    }
    return peer;
  }

  #forget(): void {
    for (const [address, peer] of this.#peers) if (peer.connections === 0) this.#peers.delete(address);
  }
}
