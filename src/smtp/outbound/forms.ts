import { type PeerAbilities, wireMessage } from "../../mime/transport.ts";

/** Makes the forms of one message for the servers of one attempt, each form once. `finish` signs it. */
export function messageForms(
  message: Buffer,
  finish: (form: Buffer) => Promise<Buffer>,
): (peer: PeerAbilities) => Promise<Buffer> {
  const forms = new Map<string, Promise<Buffer>>();
  const finished = new Map<Buffer, Promise<Buffer>>();
  const make = async (peer: PeerAbilities): Promise<Buffer> => {
    const form = wireMessage(message, peer);
    // Most messages have the same form for all servers.
    const found = finished.get(form) ?? finish(form);
    finished.set(form, found);
    return found;
  };
  return (peer) => {
    const key = `${peer.eightBit} ${peer.utf8}`;
    const found = forms.get(key) ?? make(peer);
    forms.set(key, found);
    return found;
  };
}
