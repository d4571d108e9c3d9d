import { type Check, disconnect, pass } from "./stage.ts";

const maxPerNetwork = 100;

/** Limits the connections of one IPv4 address or IPv6 network; no honest server needs more. */
export function connections(): Check<"connect"> {
  const open = new Map<string, number>();
  return ({ network, isLoopback, onEnd }) => {
    const count = (open.get(network) ?? 0) + 1;
    open.set(network, count);
    onEnd(() => {
      const left = open.get(network)! - 1;
      if (left > 0) open.set(network, left);
      else open.delete(network);
    });
    if (isLoopback || count <= maxPerNetwork) return pass();
    return disconnect("4.7.0", "too many connections from your address");
  };
}
