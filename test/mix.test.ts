import { describe } from "vitest";
import { storyContract } from "./support/contracts/story.ts";
import { startMix } from "./support/mix.ts";
import { whyNoRedis } from "./support/redis-server.ts";

describe.skipIf(whyNoRedis)("two processes for clients, two for peers and a worker, with Redis and S3", () => {
  storyContract(startMix);
});
