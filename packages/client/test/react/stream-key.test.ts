import { connect, systemClock } from '@millrace/client'
import { expect, test } from 'vitest'
import { SharedStreams } from '../../src/react/shared-streams.ts'
import { streamKey } from '../../src/react/stream-key.ts'
import type { UseStreamOptions } from '../../src/react/stream-handle.ts'

const key = (options: UseStreamOptions, url: string | URL = 'http://a.test/events'): string => streamKey(url, options)

test.each<[why: string, one: UseStreamOptions, other: UseStreamOptions]>([
  ['written in place', { topics: ['a'], minDelayMs: 5 }, { topics: ['a'], minDelayMs: 5 }],
  ['in another order', { topics: ['a', 'b'], from: 'now' }, { from: 'now', topics: ['b', 'a', 'a'] }],
  ['with undefined for what is not there', { from: undefined }, {}],
  ['with headers in another form', { headers: { A: '1' } }, { headers: new Headers([['a', '1']]) }],
  ['with other functions of the same names', { parse: (text) => text }, { parse: Number }],
  ['with observers, and without', { onError: () => {}, onSync: () => {}, onState: () => {}, onAttempt: () => {} }, {}],
])('options %s are equal', (_why, one, other) => {
  expect(key(one)).toBe(key(other))
})

test.each<[why: string, one: UseStreamOptions, other: UseStreamOptions]>([
  ['topics', { topics: ['a'] }, { topics: ['b'] }],
  ['no topics and none named', { topics: [] }, {}],
  ['headers', { headers: { a: '1' } }, { headers: { a: '2' } }],
  ['values', { silenceMs: 5 }, { silenceMs: false }],
  ['values within', { persist: { key: 'a' } }, { persist: { key: 'b' } }],
  ['functions that change the stream', { authorize: () => undefined }, {}],
])('options with other %s differ', (_why, one, other) => {
  expect(key(one)).not.toBe(key(other))
})

test.each<[why: string, options: object]>([
  ['headers', { headers: { 'bad name': 'x' } }],
  ['topics', { topics: 5 }],
])('%s that cannot be used are left to connect, which says so', (_why, options) => {
  expect(key(options as UseStreamOptions)).toEqual(expect.any(String))
  const streams = new SharedStreams({ connect, clock: systemClock, graceMs: 1 })
  const user = { options: options as UseStreamOptions, onChange: () => {} }
  expect(() => streams.use(key(user.options), 'http://a.test/events', user)).toThrow(
    expect.objectContaining({ name: 'ClientError', code: 'invalid_option' }),
  )
})

test('a URL is compared as text', () => {
  expect(key({}, new URL('http://a.test/events'))).toBe(key({}))
  expect(key({}, 'http://a.test/other')).not.toBe(key({}))
})
