import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** Where the young generation of the heap stops growing, in octets: V8 by itself lets it grow to hundreds of MB. */
const mostYoung = 24 * 2 ** 20;
const lookEvery = 100;

/** Bounds what V8 keeps for short-lived objects. It reads the flag each time it would grow that part of the heap. */
export function keepYoungHeapSmall(): void {
  let mayGrow = true;
  setInterval(() => {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
    const isSmall = (young?.space_size ?? 0) < mostYoung;
    if (isSmall === mayGrow) return;
    mayGrow = isSmall;
    setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`);
  }, lookEvery).unref();
}
