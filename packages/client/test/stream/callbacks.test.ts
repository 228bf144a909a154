import { describe, expect, test } from 'vitest'
import type { EventStream } from '../../src/stream/event-stream.ts'
import { retryPolicy } from '../../src/stream/retry-policy.ts'
import { defaultStreamLimits } from '../../src/stream/stream-options.ts'
import type { Fault } from './support/reference-stream.ts'
import { openScene } from './support/scene.ts'
import { settle, type TestClock } from './support/test-clock.ts'
import { uncaughtIn } from './support/uncaught.ts'

const fail = (message: string) => (): never => {
  throw new Error(message)
}
/** Types say that nobody looks at what a handler returns; an async one returns a promise all the same. */
const rejectLater = (message: string) => (): unknown => Promise.reject(new Error(message))
const away = { prepare: (hub: { faultOf: unknown }) => void (hub.faultOf = () => ({ kind: 'network' })) }

describe('what the user gives, and throws, stops no stream', () => {
  test('onError: it is an uncaught error', async () => {
    const uncaught = await uncaughtIn(async () => {
      const { clock, hub, stream } = await openScene({ onError: fail('tracker') }, away)
      expect(stream.status.name).toBe('waiting')
      await clock.advance(3_000)
      expect(hub.requests).toHaveLength(2)
      stream.close()
      expect(stream.status.name).toBe('closed')
    })
    expect(uncaught).toMatchObject([{ message: 'tracker' }, { message: 'tracker' }])
  })

  test('onError that is told of a handler: the handlers after it are called', async () => {
    const uncaught = await uncaughtIn(async () => {
      const { hub, stream, data } = await openScene({ onError: fail('tracker') })
      stream.on('message', fail('mine'))
      const after: unknown[] = []
      stream.on('message', ({ data: value }) => void after.push(value))
      hub.publish('a', 1)
      hub.publish('a', 2)
      await settle()
      expect([data(), after]).toEqual([
        [1, 2],
        [1, 2],
      ])
    })
    expect(uncaught).toMatchObject([{ message: 'tracker' }, { message: 'tracker' }])
  })

  test('the debug logger: it is an uncaught error', async () => {
    const uncaught = await uncaughtIn(async () => {
      // The page that shares says in the log that it cannot.
      for (const share of [false, true]) {
        const { hub, stream, data } = await openScene({ debug: fail('log'), share })
        await expect.poll(() => stream.status.name).toBe('open')
        hub.publish('a', 1)
        await settle()
        expect(data()).toEqual([1])
        stream.close()
        expect(stream.status.name).toBe('closed')
      }
    })
    expect(uncaught.length).toBeGreaterThan(8)
    expect(uncaught.every((error) => error instanceof Error && error.message === 'log')).toBe(true)
  })

  test.each([
    ['throws', fail('policy')],
    ['decides nothing', () => undefined],
    ['names no delay', () => ({ delayMs: Number.NaN })],
  ])('a retryPolicy that %s: it is told once for each failure, and the usual policy decides', async (_, own) => {
    const { clock, hub, errors, stream } = await openScene({ retryPolicy: own as never }, away)
    expect(stream.status).toMatchObject({ name: 'waiting', delayMs: 1_500, error: { code: 'network' } })
    expect(errors.map(({ code }) => code)).toEqual(['handler', 'network'])
    hub.faultOf = () => undefined
    await clock.advance(1_500)
    expect(stream.status.name).toBe('open')
    expect(errors).toHaveLength(2)
  })

  test('a handler whose promise is rejected is told as one that throws', async () => {
    const { hub, stream, errors } = await openScene({ onAttempt: rejectLater('attempt') })
    stream.on('message', rejectLater('later'))
    hub.publish('a', 1)
    await settle()
    const causes = ['attempt', 'later'].map((message) => ({ code: 'handler', cause: { message } }))
    expect(errors).toMatchObject(causes)
  })

  test('a handler whose promise is rejected is an uncaught error without onError', async () => {
    const uncaught = await uncaughtIn(async () => {
      const { hub, stream } = await openScene({ onError: undefined })
      stream.on('message', rejectLater('later'))
      hub.publish('a', 1)
      await settle()
      expect(stream.status.name).toBe('open')
    })
    expect(uncaught).toMatchObject([{ message: 'later' }])
  })
})

test('a handler that one before it has taken off is not called for the same event', async () => {
  const { hub, stream } = await openScene({}, { listen: false })
  const calls: string[] = []
  let off = (): void => {}
  stream.on('message', () => {
    calls.push('first')
    off()
  })
  off = stream.on('message', () => void calls.push('second'))
  hub.publish('a', 1)
  await settle()
  expect(calls).toEqual(['first'])
})

test('a listener for the status that one before it has taken off is not called for the same change', async () => {
  const { hub, stream } = await openScene()
  const calls: string[] = []
  let off = (): void => {}
  stream.onStatus(() => {
    calls.push('first')
    off()
  })
  off = stream.onStatus(() => void calls.push('second'))
  hub.cutStreams()
  await settle()
  expect(calls).toEqual(['first'])
})

/**
 * A stream that meets all that calls something of the user's: gaps, refusals, cuts, polls. `onCall` is told of each call.
 * Returns the data that handlers were given.
 */
async function eventful(onCall: (name: string, stream: EventStream | undefined) => void): Promise<{
  readonly data: unknown[]
  readonly stream: EventStream
  readonly clock: TestClock
}> {
  const streams: EventStream[] = []
  const data: unknown[] = []
  const call = (name: string): void => onCall(name, streams[0])
  const scene = await openScene(
    {
      topics: ['a'],
      lastId: 'e0-1-abc',
      authorize() {
        call('authorize')
        return undefined
      },
      onSync: () => call('onSync'),
      onError: () => call('onError'),
      onAttempt: () => call('onAttempt'),
      onState: ({ name }) => call(`onState ${name}`),
      parse(text) {
        call('parse')
        return JSON.parse(text)
      },
      debug: () => call('debug'),
      retryPolicy(error, state) {
        call('retryPolicy')
        return retryPolicy(defaultStreamLimits, () => 0)(error, state)
      },
    },
    { listen: false },
  )
  const { clock, hub, stream } = scene
  streams.push(stream)
  for (const type of ['message', '*', 'stream:sync-required'] as const) {
    stream.on(type, (event) => {
      if (type === '*') data.push(event.data)
      call(`on ${type}`)
    })
  }
  stream.onStatus(({ name }) => call(`onStatus ${name}`))
  await clock.advance(1_000)
  for (let n = 1; n <= 12; n++) {
    hub.publish('a', n)
    await clock.advance(1_000)
    const faults: (Fault | undefined)[] = [{ kind: 'network' }, { kind: 'hold' }, { kind: 'answer', status: 503 }]
    let first: Fault | undefined = n === 6 ? { kind: 'answer', status: 401 } : undefined
    hub.faultOf = ({ transport }) => {
      const fault = first ?? faults[n % 4]
      first = undefined
      return transport === 'stream' ? fault : undefined
    }
    if (n % 3 === 0) hub.cutStreams()
    await clock.advance(9_000)
  }
  hub.faultOf = () => undefined
  await clock.advance(120_000)
  return { data, stream, clock }
}

test('whatever of the user\u2019s throws, all events come, and the stream lives', async () => {
  const seen = new Set<string>()
  const run = async (isThrowing: (name: string) => boolean): Promise<void> => {
    const { data, stream } = await eventful((name) => {
      seen.add(name)
      if (isThrowing(name)) throw new Error(name)
    })
    expect(data.at(-1)).toBe(12)
    expect(data).toEqual(data.map((_, i) => 12 - data.length + 1 + i))
    expect(stream.status.name).toBe('open')
    stream.close()
  }
  await run(() => false)
  const names = [...seen]
  for (const name of ['authorize', 'onSync', 'onError', 'onAttempt', 'parse', 'debug', 'retryPolicy', 'on message']) {
    expect(names).toContain(name)
  }
  // What never works cannot be done without.
  const isNeeded = (name: string): boolean => name === 'authorize' || name === 'onSync' || name === 'parse'
  for (const thrower of names.filter((name) => !isNeeded(name))) {
    await uncaughtIn(() => run((name) => name === thrower))
  }
  await uncaughtIn(() => run((name) => !isNeeded(name)))
})

test('wherever the user closes, nobody is called after that but for the status, and nothing is left', async () => {
  let total = 0
  await eventful((name) => void (name !== 'debug' && total++))
  expect(total).toBeGreaterThan(100)
  for (let at = 0; at < total; at++) {
    let count = 0
    const late: string[] = []
    let isClosed = false
    const { clock, stream } = await eventful((name, own) => {
      // The log is written to the end, and is no place to close from.
      if (name === 'debug') return
      if (isClosed && !name.endsWith(' closed')) late.push(name)
      if (count++ < at || isClosed || !own) return
      isClosed = true
      own.close()
    })
    expect(late, `closed at call ${at}`).toEqual([])
    expect(clock.timerCount).toBe(0)
    expect(stream.status.name).toBe('closed')
  }
})
