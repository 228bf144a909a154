import { expectExactlyOnce } from '@millrace/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'

test('what was received as it was sent is in order', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string()), (sent) => {
      expect(expectExactlyOnce([...sent], sent)).toBeUndefined()
    }),
    { seed: 3 },
  )
})

test('any change of what was received is found', () => {
  const sent = fc.uniqueArray(fc.string(), { minLength: 2 })
  fc.assert(
    fc.property(sent, fc.nat(), fc.constantFrom('drop', 'repeat', 'swap', 'add'), (all, at, change) => {
      const received = [...all]
      const i = at % (all.length - 1)
      if (change === 'drop') received.splice(i, 1)
      if (change === 'repeat') received.push(received[i] ?? '')
      if (change === 'swap') received.splice(i, 2, received[i + 1] ?? '', received[i] ?? '')
      if (change === 'add') received.push(all.join('+') + at)
      expect(() => expectExactlyOnce(received, all)).toThrow(/were sent/)
    }),
    { seed: 4 },
  )
})

test('every fault is named', () => {
  expect(() => expectExactlyOnce(['b', 'a', 'a', 'x'], ['a', 'b', 'c'])).toThrow(
    [
      '3 were sent; 4 were received:',
      '  missing: "c"',
      '  more than once: "a"',
      '  never sent: "x"',
      '  out of order: "a"',
    ].join('\n'),
  )
})
