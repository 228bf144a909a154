import { expect, test } from 'vitest'
import { systemChance } from '../src/chance.ts'

test('a token has the length that was asked for, of letters and digits alone', () => {
  for (const length of [0, 1, 3, 16, 20, 5_000])
    expect(systemChance.token(length)).toMatch(new RegExp(`^[a-z0-9]{${length}}$`))
})

test('no token comes twice, from one fetch of random bytes or the next', () => {
  const tokens = Array.from({ length: 20_000 }, () => systemChance.token(16))
  expect(new Set(tokens).size).toBe(tokens.length)
})

test('no letter is favoured', () => {
  const counts = new Map<string, number>()
  for (const letter of systemChance.token(360_000)) counts.set(letter, (counts.get(letter) ?? 0) + 1)
  expect(counts.size).toBe(36)
  // 10,000 of each are expected, with a standard deviation of about 100: seven of those do not happen.
  for (const count of counts.values()) expect(Math.abs(count - 10_000)).toBeLessThan(700)
})
