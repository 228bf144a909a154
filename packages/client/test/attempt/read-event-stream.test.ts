import { describe, expect, test } from 'vitest'
import { ProtocolError } from '@millrace/protocol'
import type { AttemptEnd, EventStreamRequest, FetchInit } from '../../src/attempt/read-event-stream.ts'
import { answer, attempt, EVENT_STREAM, manualBody } from '../support/attempt.ts'

describe('a request', () => {
  async function sent(options: Partial<EventStreamRequest>): Promise<[string, FetchInit]> {
    let call: [string, FetchInit] | undefined
    const { end } = attempt(async (...args) => {
      call = args
      return new Response('', { headers: EVENT_STREAM })
    }, options)
    await end
    if (!call) throw new Error('fetch was not called')
    return call
  }

  test('is a GET that no cache answers, under CORS, without credentials for other origins', async () => {
    const [url, init] = await sent({})
    expect(url).toBe('http://test.invalid/')
    expect(init).toMatchObject({ method: 'GET', body: null, mode: 'cors', cache: 'no-store' })
    expect(init.credentials).toBe('same-origin')
    expect(init.headers).toEqual({ accept: 'text/event-stream' })
  })

  test('has the method, body, headers, credentials and id that it is given', async () => {
    const [, init] = await sent({
      method: 'POST',
      body: '{}',
      headers: { 'Content-Type': 'application/json' },
      credentials: 'include',
      lastEventId: '7',
    })
    expect(init).toMatchObject({ method: 'POST', body: '{}', credentials: 'include' })
    expect(init.headers).toEqual({
      accept: 'text/event-stream',
      'content-type': 'application/json',
      'last-event-id': '7',
    })
  })

  test('calls fetch as a plain function, which browsers ask for', async () => {
    let self: unknown = 'unset'
    const { end } = attempt(function (this: unknown) {
      self = this
      return Promise.resolve(new Response('', { headers: EVENT_STREAM }))
    })
    await end
    expect(self).toBeUndefined()
  })
})

describe('a stream', () => {
  test('is opened, then read in order, and ends with its body', async () => {
    const { notes, end } = attempt(answer('retry: 5\n: hi\nid: 1\ndata: one\n\nid: 2\n\ndata: two\n\ndata: never'))
    expect(notes).toEqual([])
    expect(await end).toEqual({ kind: 'ended' })
    expect(notes).toEqual(['open 200', 'bytes 60', 'retry 5', ': hi', 'id 1', 'message one 1', 'id 2', 'message two 2'])
  })

  test('starts with the id that the request resumes from', async () => {
    const { notes, end } = attempt(answer('data: x\n\n'), { lastEventId: '41' })
    await end
    expect(notes.at(-1)).toBe('message x 41')
  })

  test('without a body is an empty one', async () => {
    const { notes, end } = attempt(answer(null))
    expect(await end).toEqual({ kind: 'ended' })
    expect(notes).toEqual(['open 200'])
  })

  test('that breaks off ends as a network error, with what came before', async () => {
    const body = manualBody()
    const { notes, end } = attempt(answer(body.stream))
    body.write('data: one\n\n')
    await expect.poll(() => notes.at(-1)).toBe('message one')
    const error = new TypeError('reset')
    body.break(error)
    expect(await end).toEqual({ kind: 'network', error })
  })

  test('that breaks a limit ends as unreadable, and is cancelled', async () => {
    const body = manualBody()
    const { end } = attempt(answer(body.stream), { limits: { maxLineBytes: 10 } })
    body.write('data: 0123456789')
    const ended = await end
    expect(ended).toMatchObject({ kind: 'unreadable', error: { code: 'line_too_long' } })
    expect((ended as { error: unknown }).error).toBeInstanceOf(ProtocolError)
    expect(body.cancelled).toBe(true)
  })

  test('with a limit that is none ends as unreadable, and is cancelled', async () => {
    const body = manualBody()
    const { end } = attempt(answer(body.stream), { limits: { maxLineBytes: 0 } })
    expect(await end).toMatchObject({ kind: 'unreadable', error: { code: 'invalid_option' } })
    expect(body.cancelled).toBe(true)
  })

  test('that is not made of bytes ends as unreadable', async () => {
    const { readable, writable } = new TransformStream<unknown, Uint8Array>()
    const response = new Response(null, { headers: EVENT_STREAM })
    Object.defineProperty(response, 'body', { value: readable })
    void writable.getWriter().write('data: x\n\n')
    const { end } = attempt(() => Promise.resolve(response))
    expect(await end).toMatchObject({ kind: 'unreadable', error: { message: expect.stringContaining('bytes') } })
  })

  for (const thrower of ['open 200', 'bytes 9', 'message x']) {
    test(`ends as unreadable, and is cancelled, when a handler throws at ${JSON.stringify(thrower)}`, async () => {
      const body = manualBody()
      const error = new Error('of a handler')
      const { notes, end } = attempt(answer(body.stream), {
        on: (note) => {
          if (note === thrower) throw error
        },
      })
      body.write('data: x\n\n')
      body.write('data: y\n\n')
      expect(await end).toEqual({ kind: 'unreadable', error })
      expect(notes.at(-1)).toBe(thrower)
      expect(body.cancelled).toBe(true)
    })
  }
})

describe('a response that is no stream', () => {
  for (const status of [201, 204, 205, 206, 299, 301, 304, 400, 401, 404, 429, 500, 503]) {
    test(`with status ${status} ends the attempt with it and its headers`, async () => {
      const headers = { ...EVENT_STREAM, 'retry-after': '3' }
      const { notes, end } = attempt(answer(null, { status, headers }))
      const ended = await end
      expect(ended).toMatchObject({ kind: 'status', status })
      expect((ended as Extract<AttemptEnd, { kind: 'status' }>).headers.get('retry-after')).toBe('3')
      expect(notes).toEqual([])
    })
  }

  test('is read by who asks for it, and the attempt ends after that', async () => {
    const body = manualBody()
    const order: string[] = []
    const { end } = attempt(answer(body.stream, { status: 403 }), {
      async onRefused(response) {
        order.push(await response.text())
      },
    })
    void end.then(() => order.push('end'))
    body.write('why')
    body.end()
    expect(await end).toMatchObject({ kind: 'status', status: 403 })
    expect(order).toEqual(['why', 'end'])
  })

  test('of another type ends the attempt with that type, its body dropped', async () => {
    const body = manualBody()
    const { notes, end } = attempt(answer(body.stream, { headers: { 'content-type': 'text/html' } }))
    expect(await end).toEqual({ kind: 'content_type', contentType: 'text/html' })
    expect(notes).toEqual([])
    expect(body.cancelled).toBe(true)
  })

  test('of no type ends the attempt', async () => {
    const { end } = attempt(answer(manualBody().stream, {}))
    expect(await end).toEqual({ kind: 'content_type', contentType: null })
  })

  test('that does not come ends the attempt with the error', async () => {
    const error = new TypeError('refused')
    const { end } = attempt(() => Promise.reject(error))
    expect(await end).toEqual({ kind: 'network', error })
  })

  test('of a fetch that throws at once is an error like others', async () => {
    const error = new TypeError('no such URL')
    const { end } = attempt(() => {
      throw error
    })
    expect(await end).toEqual({ kind: 'network', error })
  })

  test('of headers that are none is an error like others', async () => {
    const { end } = attempt(answer(''), { headers: { 'not a name': '' } })
    expect(await end).toMatchObject({ kind: 'network', error: { name: 'TypeError' } })
  })
})
