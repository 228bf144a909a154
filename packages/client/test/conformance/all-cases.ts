import { apiCases } from './api-cases.ts'
import { beyondCases } from './beyond-cases.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { connectionCases } from './connection-cases.ts'
import { formatCases } from './format-cases.ts'
import { ownStreamCases } from './own-stream-cases.ts'
import { pause, World, type EventSourceClass } from './world.ts'

/** Longer than anything that a case waits for. Milliseconds. */
const CASE_MS = 15_000

export const allCases: readonly ConformanceCase[] = [
  ...apiCases,
  ...formatCases,
  ...connectionCases,
  ...beyondCases,
  ...ownStreamCases,
]

/** The cases that a browser's own class passes, which proves them. */
export function nativeCases(browser: 'chromium' | 'firefox'): ConformanceCase[] {
  return allCases.filter(({ native = true, nativeFault }) => native === true && !nativeFault?.[browser])
}

/** The name of a case as tests show it: with what asks for it. */
export function titleOf({ name, wpt }: ConformanceCase): string {
  return wpt.length === 0 ? name : `${name} [wpt ${wpt.join(', ')}]`
}

/** `passed`, or what the case found to be wrong. */
export async function runCase(EventSource: EventSourceClass, origin: string, each: ConformanceCase): Promise<string> {
  const world = new World(EventSource, origin)
  try {
    return await Promise.race([Promise.resolve(each.run(world)).then(() => 'passed'), tooLate()])
  } catch (error) {
    return String(error)
  } finally {
    world.end()
  }
}

async function tooLate(): Promise<string> {
  await pause(CASE_MS)
  return `took more than ${CASE_MS} ms`
}

/** Runs cases, a few at a time, as browsers have six connections to a server; the outcome of each by its title. */
export async function runCases(
  EventSource: EventSourceClass,
  origin: string,
  cases: readonly ConformanceCase[],
): Promise<Record<string, string>> {
  const outcomes: Record<string, string> = {}
  const left = [...cases]
  const work = async (): Promise<void> => {
    for (let each = left.shift(); each; each = left.shift()) {
      outcomes[titleOf(each)] = await runCase(EventSource, origin, each)
    }
  }
  await Promise.all([work(), work(), work()])
  // What fails beside others has another try by itself: a machine that is too busy for three at a time proves nothing.
  for (const each of cases) {
    const title = titleOf(each)
    if (outcomes[title] === 'passed') continue
    const again = await runCase(EventSource, origin, each)
    outcomes[title] = again === 'passed' ? again : `${outcomes[title]}; again: ${again}`
  }
  return outcomes
}
