import { expect, test } from 'vitest'
import { requestHeaders } from '../../src/attempt/request-headers.ts'

test('a first request asks for an event stream and carries no id', () => {
  expect(requestHeaders(undefined, '')).toEqual({ accept: 'text/event-stream' })
})

test('the id goes out as the bytes of its UTF-8', () => {
  const { 'last-event-id': sent } = requestHeaders(undefined, 'é…𝄞')
  expect(sent).toBe(Buffer.from('é…𝄞', 'utf8').toString('latin1'))
  expect(() => new Headers({ sent: sent ?? '' })).not.toThrow()
})

test('a lone surrogate in an id goes out as U+FFFD', () => {
  expect(requestHeaders(undefined, '\ud800')['last-event-id']).toBe('\u00ef\u00bf\u00bd')
})

for (const character of ['\0', '\x01', '\n', '\r', '\x1f', '\x7f']) {
  test(`an id with ${JSON.stringify(character)}, which no header can carry, is left out`, () => {
    expect(requestHeaders({ 'Last-Event-ID': 'first' }, `a${character}`)).toEqual({ accept: 'text/event-stream' })
  })
}

test('an id with a tab or a space inside is sent', () => {
  expect(requestHeaders(undefined, 'a\tb c')['last-event-id']).toBe('a\tb c')
})

test('headers of the caller are added, in every form that headers have', () => {
  const expected = { accept: 'text/event-stream', 'x-one': '1', 'x-two': '2, 3' }
  expect(requestHeaders({ 'X-One': '1', 'X-Two': '2, 3' }, '')).toEqual(expected)
  expect(requestHeaders(new Headers({ 'X-One': '1', 'X-Two': '2, 3' }), '')).toEqual(expected)
  const pairs: [string, string][] = [
    ['X-One', '1'],
    ['X-Two', '2'],
    ['x-two', '3'],
  ]
  expect(requestHeaders(pairs, '')).toEqual(expected)
})

test('an Accept of the caller, however it is written, is the only one', () => {
  expect(requestHeaders({ accept: 'application/json, text/event-stream' }, '')).toEqual({
    accept: 'application/json, text/event-stream',
  })
})

test('an id of the caller is sent until the stream has sent one', () => {
  const own = { 'last-event-id': 'own' }
  expect(requestHeaders(own, '')['last-event-id']).toBe('own')
  expect(requestHeaders(own, 'newer')).toEqual({ accept: 'text/event-stream', 'last-event-id': 'newer' })
})

test('what is no header is refused', () => {
  expect(() => requestHeaders({ 'not a name': 'x' }, '')).toThrow(TypeError)
})
