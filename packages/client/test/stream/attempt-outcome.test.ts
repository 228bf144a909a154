import { expect, test } from 'vitest'
import { ClientError } from '../../src/client-error.ts'
import { verdictOf } from '../../src/stream/attempt-outcome.ts'

const cut = new ClientError('network', 'The connection failed.')

test('a stream that is cut off before any byte came speaks against streams, one that brought some does not', () => {
  expect(verdictOf(cut, { isGood: false, isFlowing: false, isPassable: false })).toBe('bad')
  expect(verdictOf(cut, { isGood: false, isFlowing: false, isPassable: true })).toBe('neutral')
  expect(verdictOf(cut, { isGood: true, isFlowing: false, isPassable: true })).toBe('good')
})

test('a stream that falls silent speaks against streams unless bytes had been flowing, whatever had come at once', () => {
  const silent = new ClientError('silent', 'No byte has come.')
  expect(verdictOf(silent, { isGood: false, isFlowing: false, isPassable: true })).toBe('bad')
  expect(verdictOf(silent, { isGood: false, isFlowing: true, isPassable: true })).toBe('good')
})
