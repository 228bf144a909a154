import { expect, test } from 'vitest'
import { ClientError } from '../../src/client-error.ts'
import { foreignError } from '../../src/stream/attempt-error.ts'
import { gaveUp, verdictOf } from '../../src/stream/attempt-outcome.ts'

const cut = new ClientError('network', 'The connection failed.')
const silent = new ClientError('silent', 'No byte has come.')
const late = new ClientError('timeout', 'The server has not answered.')
const nothing = { isGood: false, isFlowing: false, isPassable: false, isFirst: false }

function verdict(error: ClientError, known: Partial<typeof nothing> = {}): string {
  const { isGood, isFlowing, isPassable, isFirst } = { ...nothing, ...known }
  return verdictOf(error, isGood, isFlowing, isPassable, isFirst)
}

test('a stream that is cut off before any byte came speaks against streams, one that brought some does not', () => {
  expect(verdict(cut)).toBe('bad')
  expect(verdict(cut, { isPassable: true })).toBe('neutral')
  expect(verdict(cut, { isGood: true, isPassable: true })).toBe('good')
})

test('a stream that falls silent speaks against streams unless bytes had been flowing, whatever had come at once', () => {
  expect(verdict(silent, { isPassable: true })).toBe('bad')
  expect(verdict(silent, { isFlowing: true, isPassable: true })).toBe('good')
})

test('an answer that does not come in time is held back where nothing has ever come, else it may be the network', () => {
  expect(verdict(late, { isFirst: true })).toBe('held_back')
  expect(verdict(late)).toBe('bad')
})

test('what is added to an error begins a sentence, whether the one before has a full stop or not', () => {
  for (const words of [
    'NetworkError when attempting to fetch resource.',
    'NetworkError when attempting to fetch resource',
  ]) {
    const error = foreignError(new ClientError('network', words))
    expect(error.message).toMatch(/ resource\. Does the server allow pages of this origin \(CORS\)\?$/)
    expect(gaveUp(new ClientError('network', words), '3 attempts failed').message).toMatch(
      / resource\. Given up: 3 attempts failed\.$/,
    )
  }
  const question = new ClientError('content_type', 'It answered with text/html: is the URL right?')
  expect(gaveUp(question, 'why').message).toBe('It answered with text/html: is the URL right? Given up: why.')
})
