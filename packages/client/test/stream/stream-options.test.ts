import { expect, test } from 'vitest'
import { connect } from '../../src/stream/connect.ts'
import type { StreamOptions } from '../../src/stream/stream-options.ts'
import { openScene } from './support/scene.ts'

test('options that cannot be used say so at once', () => {
  expect(() => connect('/events')).toThrow('url is /events: give an absolute URL where there is no page.')
  expect(() => connect('http://x/', { maxQueueCount: 0 })).toThrow('maxQueueCount is 0')
  expect(() => connect('http://x/', { minDelayMs: Number.NaN })).toThrow('minDelayMs is NaN')
  expect(() => connect('http://x/', { maxBackoffMs: 2 ** 31 })).toThrow('maxBackoffMs is 2147483648')
  for (const silenceMs of [0, -1, Number.NaN, Infinity, 2 ** 31]) {
    const advice = 'give a number from 1 to 2147483647, or false.'
    expect(() => connect('http://x/', { silenceMs })).toThrow(`silenceMs is ${silenceMs}: ${advice}`)
  }
  expect(() => connect('http://x/', { pollWaitMs: 90_000 })).toThrow(
    'pollWaitMs is 90000: give a number from 1 to 60000.',
  )
})

test.each<[string, object, string]>([
  ['transport', { transport: 'websocket' }, 'transport is websocket: give one of auto, stream, long-polling, polling.'],
  ['method', { method: 'PUT' }, 'method is PUT: give one of GET, POST.'],
  ['onSync', { onSync: 1 }, 'onSync is 1: give a function.'],
  ['parse', { parse: 'json' }, 'parse is json: give a function.'],
  ['authorize', { authorize: { url: '/' } }, 'authorize is [object Object]: give a function.'],
  ['retryPolicy', { retryPolicy: 3 }, 'retryPolicy is 3: give a function.'],
  ['onError', { onError: true }, 'onError is true: give a function.'],
  ['onState', { onState: null }, 'onState is null: give a function.'],
  ['onAttempt', { onAttempt: [] }, 'onAttempt is : give a function.'],
  ['fetch', { fetch: 'x' }, 'fetch is x: give a function.'],
  [
    'limits',
    { limits: { maxLineBytes: 4096, maxEventBytes: 0 } },
    'maxEventBytes is 0: give a number from 1 to 268435456.',
  ],
  ['credentials', { credentials: 'yes' }, 'credentials is yes: give one of omit, same-origin, include.'],
  ['topics', { topics: 'stocks.*' }, 'topics is stocks.*: give an array of topics.'],
])('%s that cannot be used says so at once', (_, options, message) => {
  expect(() => connect('http://x/', options as StreamOptions)).toThrow(
    expect.objectContaining({ code: 'invalid_option', message }),
  )
})

test('options that are there and undefined are as good as none', async () => {
  const names = ['transport', 'method', 'onSync', 'parse', 'authorize', 'retryPolicy', 'topics', 'headers', 'silenceMs']
  names.push('limits', 'credentials')
  const { stream } = await openScene(Object.fromEntries(names.map((name) => [name, undefined])))
  expect(stream.status.name).toBe('open')
})

test('headers that cannot be sent say so at once, and are not in the message', () => {
  for (const headers of [
    { 'bad name': 'secret' },
    { authorization: 'Bearer sec\nret' },
    { authorization: 'Bearer \u20ac' },
  ]) {
    const message = 'headers cannot be sent: give names and values that HTTP allows.'
    expect(() => connect('http://x/', { headers })).toThrow(
      expect.objectContaining({ code: 'invalid_option', message, cause: expect.any(TypeError) }),
    )
  }
})

test('a URL with credentials says so at once, and shows no password', () => {
  for (const url of [
    'http://user:secret@hub.test/events',
    'http://user@hub.test/events',
    'http://:secret@hub.test/events',
  ]) {
    const message = 'url is http://hub.test/events with credentials: give them by headers or authorize.'
    expect(() => connect(url)).toThrow(expect.objectContaining({ code: 'invalid_option', message }))
  }
})
