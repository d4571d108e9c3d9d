/** Paths of the texts that are pages, from the root of the project. */
export const sources: string[];
