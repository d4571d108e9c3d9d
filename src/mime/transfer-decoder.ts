/** Undoes a transfer encoding of bytes that come in pieces. */
export interface TransferDecoder {
  /** What is certain whatever follows. */
  push(bytes: Uint8Array): Buffer;
  /** The rest. */
  end(): Buffer;
}
