/** Several runs of one thing. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly runs: readonly number[]
}

export function spreadOf(runs: readonly number[]): Spread {
  const sorted = [...runs].sort((a, b) => a - b)
  const at = (index: number): number => sorted[index] ?? Number.NaN
  const middle = (sorted.length - 1) / 2
  const median = (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2
  return { median, min: at(0), max: at(sorted.length - 1), runs }
}

/** Ratios of runs that stood next to each other: what disturbed the machine disturbed both. */
export function ratioOf(runs: readonly number[], base: readonly number[]): Spread {
  return spreadOf(runs.map((value, round) => value / (base[round] ?? Number.NaN)))
}
