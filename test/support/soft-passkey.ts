import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

interface Place {
  /** The page that asks. */
  origin: string;
  /** The site that the authenticator speaks for. (Default: that of the options) */
  rpId?: string;
  /** Whether it has seen a PIN or a fingerprint. (Default: true) */
  isVerified?: boolean;
  /** Says that it belongs to another account. */
  userHandle?: string;
}

const sha256 = (data: Buffer | string) => createHash("sha256").update(data).digest();

/** An authenticator of software with one passkey (Web Authentication §6), which does whatever it is told. */
export function softPasskey() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x, y } = publicKey.export({ format: "jwk" });
  const id = randomBytes(32);
  let counter = 0;
  let userHandle = "";

  const named = (response: object) => {
    const text = id.toString("base64url");
    return { id: text, rawId: text, type: "public-key", clientExtensionResults: {}, response };
  };
  const clientData = (type: string, challenge: string, { origin }: Place) =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
  const head = (rpId: string, flags: number) => {
    const rest = Buffer.alloc(5);
    rest[0] = flags;
    rest.writeUInt32BE(++counter, 1);
    return Buffer.concat([sha256(rpId), rest]);
  };
  const flagsOf = ({ isVerified = true }: Place) => (isVerified ? 0x05 : 0x01);

  return {
    id: id.toString("base64url"),
    create(options: { challenge: string; rp: { id?: string }; user: { id: string } }, place: Place) {
      userHandle = options.user.id;
      // A COSE key on P-256, as a map of CBOR.
      const [px, py] = [x, y].map((one) => Buffer.from(one!, "base64url")) as [Buffer, Buffer];
      const key = Buffer.concat([hex("a5010203262001215820"), px, hex("225820"), py]);
      const attested = Buffer.concat([Buffer.alloc(16), Buffer.from([0, id.length]), id, key]);
      const data = Buffer.concat([head(place.rpId ?? options.rp.id!, flagsOf(place) | 0x40), attested]);
      const attestation = Buffer.concat([
        hex("a363666d74646e6f6e656761747453746d74a0686175746844617461"),
        Buffer.from([0x58, data.length]),
        data,
      ]);
      return named({
        clientDataJSON: clientData("webauthn.create", options.challenge, place).toString("base64url"),
        attestationObject: attestation.toString("base64url"),
        transports: ["internal"],
      });
    },
    get(options: { challenge: string; rpId?: string }, place: Place) {
      const client = clientData("webauthn.get", options.challenge, place);
      const data = head(place.rpId ?? options.rpId!, flagsOf(place));
      return named({
        clientDataJSON: client.toString("base64url"),
        authenticatorData: data.toString("base64url"),
        signature: sign("sha256", Buffer.concat([data, sha256(client)]), privateKey).toString("base64url"),
        userHandle: place.userHandle ?? userHandle,
      });
    },
  };
}

const hex = (text: string) => Buffer.from(text, "hex");
