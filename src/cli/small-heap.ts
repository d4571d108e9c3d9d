import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** Where the young generation of the heap stops growing, in octets: V8 by itself lets it grow to hundreds of MB. */
const mostYoung = 16 * 2 ** 20;
/** From so much memory of the process on, in octets, garbage is collected sooner than V8 does it by itself. */
const much = 256 * 2 ** 20;
const lookEvery = 100;

/** Keeps the process small under floods. V8 reads both flags when it collects garbage; both cost CPU. */
export function keepHeapSmall(): void {
  let mayGrow = true;
  let isMuch = false;
  setInterval(() => {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
    const isSmall = (young?.space_size ?? 0) < mostYoung;
    if (isSmall !== mayGrow) setFlagsFromString(`--semi-space-growth-factor=${isSmall ? 2 : 1}`);
    mayGrow = isSmall;
    const wasMuch = isMuch;
    isMuch = process.memoryUsage.rss() > much;
    if (isMuch !== wasMuch) setFlagsFromString(`--heap-growing-percent=${isMuch ? 10 : 0}`);
  }, lookEvery).unref();
}
