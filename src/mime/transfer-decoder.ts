/** Decodes a transfer encoding from bytes that arrive in pieces. */
export interface TransferDecoder {
  /** Returns what is certain, whatever follows. */
  push(bytes: Uint8Array): Buffer;
  /** Returns the rest. */
  end(): Buffer;
}
