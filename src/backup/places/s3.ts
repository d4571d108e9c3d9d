import { contentOf, S3Bucket, type S3BucketOptions } from "../../store/blobs/objects/s3-bucket.ts";
import type { Place, PlacedFile } from "./place.ts";

/** `S3Bucket` lists below three hex digits; a backup is written by one process, which one partition of a bucket can take. */
const partition = "000/";

/** A backup below a prefix of a bucket. */
export class S3Place implements Place {
  readonly name: string;
  readonly #bucket: S3Bucket;

  constructor(options: S3BucketOptions) {
    this.name = `s3://${options.bucket}/${options.prefix}`;
    this.#bucket = new S3Bucket(options);
  }

  put(name: string, bytes: Uint8Array, { isNew = false } = {}): Promise<boolean> {
    return this.#bucket.put(partition + name, contentOf(bytes), { isNew });
  }

  get(name: string): Promise<Buffer | undefined> {
    return this.#bucket.read(partition + name);
  }

  size(name: string): Promise<number | undefined> {
    return this.#bucket.size(partition + name);
  }

  async *list(prefix: string): AsyncIterable<PlacedFile> {
    for await (const page of this.#bucket.list(prefix)) {
      for (const { name, size } of page) yield { name: name.slice(partition.length), size };
    }
  }

  remove(name: string): Promise<void> {
    return this.#bucket.remove(partition + name);
  }

  async settle(): Promise<void> {}
}
