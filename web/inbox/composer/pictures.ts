/** Pictures in the text of a mail that is being written: shown from the page's memory, and named by their content id in the mail. */
export class Pictures {
  readonly #urls = new Map<string, string>();

  /** What shows the picture with this content id; the same one replaces nothing. */
  add(cid: string, blob: Blob): string {
    const known = this.#urls.get(cid);
    if (known !== undefined) return known;
    const url = URL.createObjectURL(blob);
    this.#urls.set(cid, url);
    return url;
  }

  urlOf(cid: string): string | undefined {
    return this.#urls.get(cid);
  }

  cidOf(url: string): string | undefined {
    for (const [cid, known] of this.#urls) if (known === url) return cid;
    return undefined;
  }

  release(): void {
    for (const url of this.#urls.values()) URL.revokeObjectURL(url);
    this.#urls.clear();
  }
}

/** Types that a page may show: a picture of another type could be a document with scripts. */
export const shownPicture = /^image\/(png|jpeg|gif|webp)$/i;

export function newCid(): string {
  return `${crypto.getRandomValues(new Uint32Array(2)).join("")}@posthorn`;
}
