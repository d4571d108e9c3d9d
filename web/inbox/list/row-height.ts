import { useMedia } from "../../shared/media.ts";

/** The height of each row of a list, in pixels, as in list.css. */
export const useRowHeight = (): number => (useMedia("(max-width: 699px), (pointer: coarse)") ? 84 : 76);
