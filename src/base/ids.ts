/** Ids are numbers in the store and short lower-case strings on the wire: a letter, then base 32 without look-alikes. */
/** The letter that ids of each type begin with. Blob ids begin with "b": see src/store/blobs/blob-id.ts. */
export const idPrefix = {
  account: "u",
  mailbox: "m",
  thread: "t",
  email: "e",
  identity: "i",
  submission: "s",
  quota: "q",
  pushSubscription: "p",
  appPassword: "w",
  signIn: "l",
  maskedAddress: "k",
  dataExport: "x",
  /** Of incoming mail: peers and logs see it. Never in the same place as a Quota. */
  incoming: "q",
} as const;

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const values = new Map([...alphabet].map((char, value) => [char, value]));

/** 33 → "a11". Ids are never negative and stay below 2^53. */
export function encodeId(prefix: string, id: number): string {
  let text = "";
  for (let rest = id; rest > 0 || text === ""; rest = Math.floor(rest / 32)) text = alphabet[rest % 32] + text;
  return prefix + text;
}

/** The number of an id that `encodeId` made; undefined for any other string, so that a lookup finds nothing. */
export function decodeId(prefix: string, text: string): number | undefined {
  if (!text.startsWith(prefix) || text.length === prefix.length || text.length > prefix.length + 10) return undefined;
  let id = 0;
  for (const char of text.slice(prefix.length)) {
    const value = values.get(char);
    if (value === undefined) return undefined;
    id = id * 32 + value;
  }
  return encodeId(prefix, id) === text ? id : undefined;
}
