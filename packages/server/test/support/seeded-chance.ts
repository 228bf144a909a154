import { SeededRandom } from '@millrace/conformance'
import type { Chance } from '../../src/chance.ts'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** Chance that repeats with the seed. */
export function seededChance(seed: number): Chance {
  const random = new SeededRandom(seed)
  return {
    fraction: () => random.fraction(),
    token: (length) => Array.from({ length }, () => ALPHABET[random.integer(0, ALPHABET.length - 1)]).join(''),
  }
}
