import type { Referee } from './referee.ts'
import type { Report } from './report.ts'

/** Sources to measure: this checkout, and another one beside it where two states are compared. */
export interface Checkout {
  readonly label: string
  readonly folder: string
}

export interface Setup {
  readonly referee: Referee
  /** How often everything is run. At least 1. */
  readonly rounds: number
  /** At least one; the first is this checkout. */
  readonly checkouts: readonly Checkout[]
}

/** Measures one thing, stops all that it started, and says what it found. */
export type Benchmark = (setup: Setup) => Promise<Report>

/** This checkout. */
export function ownCheckout({ checkouts }: Setup): Checkout {
  const [own] = checkouts
  if (!own) throw new Error('There is nothing to measure.')
  return own
}
