/** Chance of one run: the same seed gives the same numbers on every machine. */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** @param seed any text or number; different seeds give unrelated runs. */
  constructor(seed: string | number) {
    let hash = 0x811c9dc5
    for (const character of String(seed)) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
    this.#a = hash | 0
    this.#b = Math.imul(hash, 0x9e3779b1) | 0
    this.#c = 0x2545f491
    for (let i = 0; i < 12; i++) this.#next()
  }

  /** sfc32: small, fast, and good enough to choose what happens next. */
  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** At least 0, below 1. */
  fraction(): number {
    return this.#next() / 4_294_967_296
  }

  /** An integer of 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.fraction() * count)
  }

  /** An integer of `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError('nothing to pick from')
    return list[this.below(list.length)] as T
  }

  /** Picks by weight; weights of 0 are never picked. */
  weighted<T>(choices: readonly (readonly [weight: number, value: T])[]): T {
    let total = 0
    for (const [weight] of choices) total += weight
    let left = this.fraction() * total
    for (const [weight, value] of choices) {
      left -= weight
      if (left < 0) return value
    }
    throw new RangeError('no choice has a weight')
  }

  token(length: number): string {
    let text = ''
    while (text.length < length) text += '0123456789abcdefghijklmnopqrstuvwxyz'[this.below(36)]
    return text
  }

  /** A generator of its own, so that its use does not shift this one's numbers. */
  fork(): Random {
    return new Random(`${this.#next()}-${this.#next()}`)
  }
}
