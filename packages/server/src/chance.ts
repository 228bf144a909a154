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

/** Cryptographic chance from the platform. */
export const systemChance: Chance = {
  fraction: () => Math.random(),
  token(length) {
    let text = ''
    while (text.length < length) {
      for (const byte of crypto.getRandomValues(new Uint8Array(length * 2))) {
        if (byte < FAIR_BELOW && text.length < length) text += ALPHABET[byte % ALPHABET.length]
      }
    }
    return text
  },
}
