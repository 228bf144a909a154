import { describe, expect, test } from 'vitest'
import { answer, attempt, EVENT_STREAM, manualBody } from '../support/attempt.ts'

describe('an abort', () => {
  test('before the request makes none', async () => {
    let calls = 0
    const { end, listeners } = attempt(
      () => {
        calls++
        return Promise.resolve(new Response(''))
      },
      { signal: AbortSignal.abort() },
    )
    expect(await end).toEqual({ kind: 'aborted' })
    expect(calls).toBe(0)
    expect(listeners.count).toBe(0)
  })

  test('ends the attempt though fetch does not heed it, and drops the response that comes later', async () => {
    const body = manualBody()
    const { promise, resolve } = Promise.withResolvers<Response>()
    const { controller, notes, end } = attempt(() => promise)
    controller.abort()
    expect(await end).toEqual({ kind: 'aborted' })
    resolve(new Response(body.stream, { headers: EVENT_STREAM }))
    await expect.poll(() => body.cancelled).toBe(true)
    expect(notes).toEqual([])
  })

  test('ends the attempt while a refusal is read, and none is read that comes later', async () => {
    let reads = 0
    const onRefused = (): Promise<void> => {
      reads++
      return new Promise(() => {})
    }
    const reading = attempt(answer('why', { status: 403 }), { onRefused })
    await expect.poll(() => reads).toBe(1)
    reading.controller.abort()
    expect(await reading.end).toEqual({ kind: 'aborted' })
    const body = manualBody()
    const { promise, resolve } = Promise.withResolvers<Response>()
    const late = attempt(() => promise, { onRefused })
    late.controller.abort()
    expect(await late.end).toEqual({ kind: 'aborted' })
    resolve(new Response(body.stream, { status: 403 }))
    await expect.poll(() => body.cancelled).toBe(true)
    expect(reads).toBe(1)
  })

  test('of a fetch that does heed it is no network error', async () => {
    const { controller, end } = attempt(
      (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
    )
    controller.abort()
    expect(await end).toEqual({ kind: 'aborted' })
  })

  for (const moment of ['open 200', 'bytes 35', 'retry 5', 'message one', 'id 2']) {
    test(`at ${JSON.stringify(moment)} is the last that is heard`, async () => {
      const body = manualBody()
      const run = attempt(answer(body.stream), {
        on: (note) => {
          if (note === moment) run.controller.abort()
        },
      })
      body.write('retry: 5\ndata: one\n\nid: 2\ndata: 2\n\n')
      expect(await run.end).toEqual({ kind: 'aborted' })
      await expect.poll(() => body.cancelled).toBe(true)
      expect(run.notes.at(-1)).toBe(moment)
    })
  }

  test('while nothing comes ends the attempt and cancels the body', async () => {
    const body = manualBody()
    const { controller, notes, end } = attempt(answer(body.stream))
    await expect.poll(() => notes).toEqual(['open 200'])
    controller.abort()
    expect(await end).toEqual({ kind: 'aborted' })
    await expect.poll(() => body.cancelled).toBe(true)
  })
})

test('nothing listens to the signal when an attempt has ended', async () => {
  for (const fetch of [
    answer('data: x\n\n'),
    answer(null),
    answer(null, { status: 500 }),
    () => Promise.reject(new Error()),
  ]) {
    const { end, listeners } = attempt(fetch)
    await end
    expect(listeners.count).toBe(0)
  }
})
