/** Slots for windows seen so far; a later window replaces an earlier one in its slot. */
const slots = 2 ** 16;
const factors = [0x01000193, 0x2c1b3c6d] as const;

/**
 * Tells whether the last words of a text, as many as a phrase may have, occurred side by side earlier in the message:
 * then every phrase that ends here is already indexed. Forgetting a window only makes the index larger.
 */
export class RepeatedWindows {
  readonly #length: number;
  readonly #words: Uint32Array;
  readonly #leaving: readonly [number, number];
  readonly #known = new Float64Array(slots);
  #count = 0;
  #first = 0;
  #second = 0;

  constructor(length: number) {
    this.#length = length;
    this.#words = new Uint32Array(length);
    this.#leaving = [power(factors[0], length), power(factors[1], length)];
  }

  /** Starts another text. */
  restart(): void {
    this.#count = 0;
    this.#first = 0;
    this.#second = 0;
  }

  isRepeated(word: string): boolean {
    const hash = hashOf(word);
    const at = this.#count++ % this.#length;
    const old = this.#count > this.#length ? this.#words[at]! : 0;
    this.#words[at] = hash;
    this.#first = (Math.imul(this.#first, factors[0]) + hash - Math.imul(old, this.#leaving[0])) >>> 0;
    this.#second = (Math.imul(this.#second, factors[1]) + mixed(hash) - Math.imul(mixed(old), this.#leaving[1])) >>> 0;
    if (this.#count < this.#length) return false;
    // Combines 53 bits of both hashes; never 0.
    const window = (this.#first % 2 ** 20) * 2 ** 32 + this.#second + 1;
    const slot = (this.#first ^ (this.#second >>> 11)) & (slots - 1);
    if (this.#known[slot] === window) return true;
    this.#known[slot] = window;
    return false;
  }
}

function power(base: number, exponent: number): number {
  let product = 1;
  for (let i = 0; i < exponent; i++) product = Math.imul(product, base);
  return product;
}

function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Maps zero to zero. */
function mixed(hash: number): number {
  return Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) | 0;
}
