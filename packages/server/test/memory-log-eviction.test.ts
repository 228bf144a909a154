import { matchesSelector, parseSelector, parseTopic, type Position } from '@millrace/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MemoryLog } from '../src/memory/memory-log.ts'
import { resolveMemoryOptions } from '../src/memory/memory-options.ts'
import type { TopicRule } from '../src/memory/topic-rules.ts'
import { seededChance } from './support/seeded-chance.ts'
import { SteppingClock } from './support/stepping-clock.ts'

describe('what was evicted from the memory log', () => {
  const rules = [
    { match: 'a.>', retention: { maxCount: 1 } },
    { match: '*.b', retention: { maxCount: 4 } },
    { match: '>', retention: { maxCount: 2 } },
  ]
  const names = ['a.b', 'a.c', 'c.b', 'd.b', 'd.c', 'd.c.e', '@a']
  const ruleOf = (name: string): number => (name.startsWith('a.') ? 0 : /^[^.]+\.b$/.test(name) ? 1 : 2)

  test('is told exactly, whichever rules evicted it in whatever order', async () => {
    const append = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 30 })
    const asked = fc.array(fc.constantFrom(...names, 'none', 'a.*', '*.b', 'd.>', '*.*', '>', '*.none'), {
      minLength: 1,
      maxLength: 12,
    })
    await fc.assert(
      fc.asyncProperty(append, asked, async (appended, selectors) => {
        const log = openLog(rules)
        const { head: origin } = await log.bounds()
        const positions = [
          origin,
          ...(await log.append(appended.map((name) => ({ topic: parseTopic(name), data: 'x' })))),
        ]
        const evicted = appended.flatMap((name, i) => {
          const later = appended.slice(i + 1).filter((other) => ruleOf(other) === ruleOf(name)).length
          return later >= (rules[ruleOf(name)]?.retention.maxCount ?? 0) ? [{ name, seq: i + 1 }] : []
        })
        for (const after of positions) {
          const isLost = evicted.some(
            ({ name, seq }) =>
              seq > after.seq && selectors.some((each) => matchesSelector(parseSelector(each), parseTopic(name))),
          )
          expect(await reasonOf(log, after, ...selectors)).toBe(isLost ? 'too_old' : 'page')
        }
      }),
      { seed: 7, numRuns: 300 },
    )
  })

  test('is found without trying each of many patterns on each of many topics', async () => {
    const log = openLog([{ match: '>', retention: { maxCount: 1 } }])
    const named = (at: (depth: number) => string): string => Array.from({ length: 16 }, (_, d) => at(d)).join('.')
    const topics = Array.from({ length: 20_000 }, (_, i) => named((depth) => (depth === 7 ? `x${i}` : `s${depth}`)))
    await log.append(topics.map((name) => ({ topic: parseTopic(name), data: 'x' })))
    const { head } = await log.bounds()
    const patterns = Array.from({ length: 100 }, (_, i) =>
      named((depth) => (depth === 15 ? `no${i}` : depth === 7 || (i >> depth) & 1 ? '*' : `s${depth}`)),
    )
    const before = process.cpuUsage()
    expect(await reasonOf(log, { ...head, seq: 1 }, ...patterns)).toBe('page')
    // It takes about 20 ms; walking each pattern through the topics takes over a second.
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(400)
  })
})

function openLog(topics: readonly TopicRule[]): MemoryLog {
  return new MemoryLog(resolveMemoryOptions({ topics, clock: new SteppingClock(), chance: seededChance(7) }))
}

async function reasonOf(log: MemoryLog, after: Position, ...names: string[]): Promise<string> {
  const selectors = names.map((name) => parseSelector(name))
  const result = await log.read({ after, selectors, maxCount: 1_000, maxBytes: 1e6 })
  return result.kind === 'gap' ? result.reason : 'page'
}
