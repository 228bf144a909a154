import assert from 'node:assert/strict'

/**
 * Asserts that the list is `first`, `first + 1`, … `last`. Names the first fault only: a whole comparison of long lists
 * that differ takes minutes.
 */
export function assertSeqs(seqs: readonly number[], first: number, last: number, what: string = 'the events'): void {
  const wrong = seqs.findIndex((seq, i) => seq !== first + i)
  const fault = wrong === -1 ? '' : `, but ${seqs[wrong]} stands where ${first + wrong} should`
  const found = seqs.length === 0 ? 'none' : `${seqs.length}, from ${seqs[0]} to ${seqs.at(-1)}`
  assert.ok(
    wrong === -1 && seqs.length === last - first + 1,
    `${what} must be ${first} to ${last}; they are ${found}${fault}`,
  )
}

/** Asserts that each is greater than the one before. */
export function assertRising(seqs: readonly number[], what: string): void {
  const wrong = seqs.findIndex((seq, i) => i > 0 && seq <= (seqs[i - 1] ?? seq))
  assert.ok(wrong === -1, `${what} must rise, but ${seqs[wrong]} comes after ${seqs[wrong - 1]}`)
}
