import type { Server, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { networkOf } from "../base/network.ts";

export interface WebPlacesOptions {
  /** Connections in all. */
  max: number;
  /** Of one IPv4 address or IPv6 /64. */
  maxOfNetwork: number;
  /** Connections whose TLS handshake is not done, or that got no answer yet: in all, and of one network. */
  maxBeginning: number;
  maxBeginningOfNetwork: number;
  /** Many clients come from that address: no limit by network applies to it. */
  isExempt(address: string): boolean;
  /** Is told each time a connection is closed for want of a place. */
  onClosed?(reason: "network" | "all"): void;
}

type Reason = "network" | "all";

interface Place {
  socket: Socket;
  /** Undefined for an address that is exempt. */
  network: string | undefined;
  isBegun(): boolean;
}

const all = "";

/**
 * The connections of clients, at all doors for HTTP together. One that is too many is closed; but where others have done
 * nothing yet, the oldest of these makes room for it. So whoever opens connections and leaves them keeps nobody else out.
 */
export class WebPlaces {
  readonly #options: WebPlacesOptions;
  readonly #taken = new Set<Place>();
  /** How many each network has. */
  readonly #sizes = new Map<string, number>();
  /** By network, and all of them; the oldest first. What has begun meanwhile leaves when there are too many. */
  readonly #beginning = new Map<string, Set<Place>>();
  /** Those that wait for their handshake, by their address and port. */
  readonly #unsecured = new Map<string, Place>();

  constructor(options: WebPlacesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#taken.size;
  }

  /** Limits the connections of a server for plain HTTP, which begins to answer when a request is there. */
  guard(server: Server): void {
    server.prependListener("connection", (socket: Socket) => {
      // Those with TLS had their place before their handshake.
      if (!(socket instanceof TLSSocket)) this.#enter(socket, () => socket.bytesWritten > 0);
    });
  }

  /** Limits the connections of a TLS server. */
  guardTls(server: Server): void {
    server.prependListener("connection", (socket: Socket) => {
      const name = nameOf(socket);
      const place = this.#enter(socket, () => this.#unsecured.get(name) !== place);
      if (!place) return;
      this.#unsecured.set(name, place);
      socket.once("close", () => this.#secured(name, place));
    });
    server.on("secureConnection", (socket: Socket) => this.#unsecured.delete(nameOf(socket)));
  }

  #secured(name: string, place: Place): void {
    if (this.#unsecured.get(name) === place) this.#unsecured.delete(name);
  }

  /** Undefined when there is no place, and the connection is closed. */
  #enter(socket: Socket, isBegun: () => boolean): Place | undefined {
    const { max, maxOfNetwork, maxBeginning, maxBeginningOfNetwork, isExempt } = this.#options;
    const address = socket.remoteAddress ?? "";
    const network = isExempt(address) ? undefined : networkOf(address);
    const place = { socket, network, isBegun };
    if (network !== undefined) {
      this.#makeRoom(network, maxBeginningOfNetwork, "network");
      if (this.#size(network) >= maxOfNetwork) return this.#refuse(socket, "network");
    }
    this.#makeRoom(all, maxBeginning, "all");
    if (this.#size(all) >= max && !this.#closeOldest(all, "all")) return this.#refuse(socket, "all");
    this.#taken.add(place);
    for (const name of namesOf(place)) {
      this.#sizes.set(name, this.#size(name) + 1);
      const beginning = this.#beginning.get(name) ?? new Set();
      this.#beginning.set(name, beginning.add(place));
    }
    socket.once("close", () => this.#leave(place));
    return place;
  }

  /** Sees to it that fewer than that many have not begun. */
  #makeRoom(name: string, maxBeginning: number, reason: Reason): void {
    if ((this.#beginning.get(name)?.size ?? 0) >= maxBeginning) {
      this.#forgetBegun(name);
      if ((this.#beginning.get(name)?.size ?? 0) >= maxBeginning) this.#closeOldest(name, reason);
    }
  }

  #forgetBegun(name: string): void {
    for (const place of this.#beginning.get(name) ?? []) if (place.isBegun()) this.#begun(place);
  }

  /** False when all have begun. */
  #closeOldest(name: string, reason: Reason): boolean {
    for (const place of this.#beginning.get(name) ?? []) {
      if (place.isBegun()) {
        this.#begun(place);
        continue;
      }
      this.#leave(place);
      place.socket.destroy();
      this.#options.onClosed?.(reason);
      return true;
    }
    return false;
  }

  #refuse(socket: Socket, reason: Reason): undefined {
    socket.destroy();
    this.#options.onClosed?.(reason);
  }

  #begun(place: Place): void {
    for (const name of namesOf(place)) {
      const beginning = this.#beginning.get(name);
      beginning?.delete(place);
      if (beginning?.size === 0) this.#beginning.delete(name);
    }
  }

  #leave(place: Place): void {
    if (!this.#taken.delete(place)) return;
    this.#begun(place);
    for (const name of namesOf(place)) {
      const left = this.#size(name) - 1;
      if (left > 0) this.#sizes.set(name, left);
      else this.#sizes.delete(name);
    }
  }

  #size(name: string): number {
    return this.#sizes.get(name) ?? 0;
  }
}

const namesOf = ({ network }: Place) => (network === undefined ? [all] : [all, network]);
const nameOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;
