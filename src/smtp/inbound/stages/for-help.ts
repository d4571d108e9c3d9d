import { splitAddress } from "../../../base/address.ts";

/** RFC 2142 §4, §5: whoever has trouble with this server can write there. */
export const isForHelp = (address: string): boolean =>
  /^(postmaster|abuse)$/i.test(splitAddress(address)?.local ?? address);
