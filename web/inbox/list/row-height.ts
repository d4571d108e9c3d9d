import { useEffect, useState } from "preact/hooks";

/** As in list.css. */
const heights = { roomy: 84, wide: 76 };
const narrow = matchMedia("(max-width: 699px), (pointer: coarse)");

const heightNow = () => (narrow.matches ? heights.roomy : heights.wide);

/** The height of each row of a list, in pixels. */
export function useRowHeight(): number {
  const [height, setHeight] = useState(heightNow);
  useEffect(() => {
    const look = () => setHeight(heightNow());
    narrow.addEventListener("change", look);
    return () => narrow.removeEventListener("change", look);
  }, []);
  return height;
}
