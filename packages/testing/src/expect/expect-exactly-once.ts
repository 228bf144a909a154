import { ExpectationError } from '../testing-error.ts'

/**
 * Holds what was received against what was sent: each once, in the order in which it was sent, nothing missing and nothing
 * else. For what a page or a log noted; {@link expectEvents} is for streams.
 *
 * @throws ExpectationError that names what is missing, what came twice, what is out of order, and what nobody sent
 */
export function expectExactlyOnce(received: readonly string[], sent: readonly string[]): void {
  const places = new Map(sent.map((one, i) => [one, i]))
  const distinct = new Set(received)
  const faults = [
    describe(
      'missing',
      sent.filter((one) => !distinct.has(one)),
    ),
    describe('more than once', repeated(received)),
    describe(
      'never sent',
      [...distinct].filter((one) => !places.has(one)),
    ),
    describe('out of order', outOfOrder(distinct, places)),
  ].filter((line) => line !== '')
  if (faults.length === 0) return
  const summary = `${sent.length} were sent; ${received.length} were received:`
  throw new ExpectationError([summary, ...faults].join('\n'), { actual: received, expected: sent })
}

function repeated(values: readonly string[]): string[] {
  const seen = new Set<string>()
  const again = new Set<string>()
  for (const value of values) (seen.has(value) ? again : seen).add(value)
  return [...again]
}

/** Each that came after one that was sent later. */
function outOfOrder(received: Iterable<string>, places: ReadonlyMap<string, number>): string[] {
  let newest = -1
  return [...received].filter((one) => {
    const place = places.get(one)
    if (place === undefined) return false
    const isLate = place < newest
    newest = Math.max(newest, place)
    return isLate
  })
}

function describe(fault: string, values: readonly string[]): string {
  return values.length === 0 ? '' : `  ${fault}: ${values.map((value) => JSON.stringify(value)).join(', ')}`
}
