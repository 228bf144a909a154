import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ExpiryQueue, type Expiring } from '../src/memory/expiry-queue.ts'

test('what expires first comes first, whatever is added and taken out in between', () => {
  const steps = fc.array(
    fc.oneof(fc.record({ add: fc.integer({ min: 0, max: 50 }) }), fc.record({ remove: fc.nat() })),
    {
      maxLength: 200,
    },
  )
  fc.assert(
    fc.property(steps, (all) => {
      const queue = new ExpiryQueue<Expiring>()
      const held: Expiring[] = []
      for (const step of all) {
        if ('add' in step) {
          const item: Expiring = { expiresAtMs: step.add, place: 0 }
          queue.add(item)
          held.push(item)
        } else if (held.length > 0) {
          const [item] = held.splice(step.remove % held.length, 1)
          if (item) queue.remove(item)
        }
        const soonest = held.length === 0 ? undefined : Math.min(...held.map(({ expiresAtMs }) => expiresAtMs))
        expect(queue.first?.expiresAtMs).toBe(soonest)
      }
      for (let { first } = queue; first; { first } = queue) {
        expect(first.expiresAtMs).toBe(Math.min(...held.map(({ expiresAtMs }) => expiresAtMs)))
        queue.remove(first)
        held.splice(held.indexOf(first), 1)
      }
      expect(held).toEqual([])
    }),
    { seed: 20_261_125, numRuns: 300 },
  )
})
