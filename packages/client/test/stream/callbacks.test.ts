import { describe, expect, test } from 'vitest'
import { openScene } from './support/scene.ts'
import { settle } from './support/test-clock.ts'
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

describe('after close() nobody is called', () => {
  test('neither onError nor a handler, when onSync was under way', async () => {
    const calls: string[] = []
    const { stream, errors } = await openScene({
      lastId: 'nonsense',
      onSync: (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    })
    stream.on('stream:sync-required', () => void calls.push('handler'))
    await settle()
    expect(stream.status.name).toBe('syncing')
    stream.close()
    await settle()
    expect([calls, errors]).toEqual([[], []])
  })

  test('nor a handler after the one that closes', async () => {
    for (const transport of ['stream', 'polling'] as const) {
      const parsed: string[] = []
      const { clock, hub, stream, data } = await openScene({
        topics: ['a'],
        transport,
        parse: (text) => parsed.push(text),
      })
      await clock.advance(1_000)
      stream.on('message', () => stream.close())
      const late: unknown[] = []
      stream.on('message', (event) => void late.push(event))
      hub.publish('a', 1)
      hub.publish('a', 2)
      await clock.advance(10_000)
      // Who listens to all types comes after those who listen to one.
      expect([data(), late, clock.timerCount]).toEqual([[], [], 0])
      expect(parsed.length).toBeLessThanOrEqual(transport === 'polling' ? 1 : 2)
    }
  })

  test.each(['connecting', 'open', 'waiting'])('and nothing is left, when who hears of %s closes', async (name) => {
    let close = (): void => {}
    let asked = 0
    const { clock, stream, hub } = await openScene(
      {
        transport: 'polling',
        authorize: () => void asked++,
        onState: (status) => void (status.name === name && close()),
      },
      away,
    )
    close = () => stream.close()
    const seen: string[] = []
    stream.onStatus((status) => void seen.push(status.name))
    if (name !== 'waiting') hub.faultOf = () => undefined
    await clock.until(() => stream.status.name === 'closed')
    const [requests, calls] = [hub.requests.length, asked]
    expect(seen.at(-1)).toBe('closed')
    expect(seen).not.toContain(name)
    expect(clock.timerCount).toBe(0)
    await clock.advance(60_000)
    expect([hub.requests.length, asked]).toEqual([requests, calls])
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
