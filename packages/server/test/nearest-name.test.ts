import { expect, test } from 'vitest'
import { nearestName } from '../src/nearest-name.ts'

const fields = ['topic', 'data', 'type', 'dedupeKey']

test.each([
  ['topc', 'topic'],
  ['Topic', 'topic'],
  ['dat', 'data'],
  ['dedupKey', 'dedupeKey'],
  ['colour', undefined],
  ['x'.repeat(10_000), undefined],
])('%s is taken for %s', (given, near) => {
  expect(nearestName(given, fields)).toBe(near)
})
