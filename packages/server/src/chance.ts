/** Chance, given to the engine so that a run can be repeated. */
export interface Chance {
  /** At least 0, below 1. For jitter. */
  fraction(): number
  /** A string of `length` characters of `a-z0-9`. Not to be guessed when it comes from {@link systemChance}. */
  token(length: number): string
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'
/** The largest multiple of 36 in a byte: bytes from here on would favour the first letters. */
const FAIR_BELOW = 252

/** Fetched at once: a call of the platform for each token made them cost 5 µs a stream instead of 0.5. */
const POOL_BYTES = 4_096

/** Cryptographic chance from the platform. */
class SystemChance implements Chance {
  readonly #pool = new Uint8Array(POOL_BYTES)
  #used = POOL_BYTES

  fraction(): number {
    return Math.random()
  }

  token(length: number): string {
    let text = ''
    while (text.length < length) {
      const byte = this.#nextByte()
      if (byte < FAIR_BELOW) text += ALPHABET[byte % ALPHABET.length]
    }
    return text
  }

  #nextByte(): number {
    if (this.#used === POOL_BYTES) {
      crypto.getRandomValues(this.#pool)
      this.#used = 0
    }
    const byte = this.#pool[this.#used] ?? 0
    // A secret stays nowhere but with whom it was made for.
    this.#pool[this.#used++] = 0
    return byte
  }
}

export const systemChance: Chance = new SystemChance()
