import { crc32, deflateRawSync } from "node:zlib";

/** A zip with one file. `claimed`: the size that it says, if not the true one. */
export function zipOf(
  name: string,
  content: Buffer,
  method: "deflated" | "stored" = "deflated",
  claimed = content.length,
): Buffer {
  const packed = method === "deflated" ? deflateRawSync(content) : content;
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(method === "deflated" ? 8 : 0, 4);
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(packed.length, 14);
  common.writeUInt32LE(claimed, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, Buffer.from(name), packed]);
  const directory = Buffer.concat([
    ...[Buffer.from("PK\x01\x02"), Buffer.from([20, 0]), common, Buffer.alloc(14), Buffer.from(name)],
  ]);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, directory, end]);
}
