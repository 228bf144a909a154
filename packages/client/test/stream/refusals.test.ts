import { expect, test } from 'vitest'
import { manualBody } from '../support/attempt.ts'
import { openScene } from './support/scene.ts'
import { settle } from './support/test-clock.ts'

const PROBLEM = { 'content-type': 'application/problem+json; charset=utf-8' }

const refusal = (body: string, headers: Record<string, string> = PROBLEM) => ({
  prepare: (hub: { faultOf: unknown }) => void (hub.faultOf = () => ({ kind: 'answer', status: 403, body, headers })),
})

test.each(['auto', 'stream', 'long-polling', 'polling'] as const)(
  'what the server says about a refusal is in the message (%s)',
  async (transport) => {
    const detail = 'Not allowed to subscribe to caf\u00e9.*'
    const { stream, clock } = await openScene({ transport }, refusal(JSON.stringify({ detail })))
    expect(stream.status).toMatchObject({
      name: 'failed',
      error: { status: 403, message: `The server answered 403: ${detail}. Given up: it will not mend by itself.` },
    })
    expect(clock.timerCount).toBe(0)
  },
)

test.each([
  ['no JSON', '{', PROBLEM],
  ['no object', 'null', PROBLEM],
  ['without a detail', '{"title":"Forbidden"}', PROBLEM],
  ['a page', '<html>', { 'content-type': 'text/html' }],
  ['of no type', '{"detail":"x"}', {}],
  ['too long', JSON.stringify({ detail: 'x'.repeat(8_192) }), PROBLEM],
])('a refusal that is %s is told by its status', async (_, body, headers) => {
  const { stream, clock } = await openScene({}, refusal(body, headers))
  expect(stream.status).toMatchObject({
    error: { status: 403, message: 'The server answered 403. Given up: it will not mend by itself.' },
  })
  expect(clock.timerCount).toBe(0)
})

test.each(['stream', 'polling'] as const)(
  'a refusal whose words do not come is not waited for long, and stays what it is (%s)',
  async (transport) => {
    const body = manualBody()
    let answer: (response: Response) => void = () => {}
    const { clock, stream } = await openScene({
      transport,
      connectTimeoutMs: 15_000,
      fetch: () => new Promise((resolve) => (answer = resolve)),
    })
    // The time for the head is nearly over.
    await clock.advance(14_900)
    answer(new Response(body.stream, { status: 403, headers: PROBLEM }))
    body.write('{"detail":')
    await clock.advance(1_999)
    expect(stream.status.name).toBe('connecting')
    await clock.advance(1)
    expect(stream.status).toMatchObject({ name: 'failed', error: { code: 'status', status: 403 } })
    expect(body.cancelled).toBe(true)
    expect(clock.timerCount).toBe(0)
  },
)

test.each(['stream', 'polling'] as const)(
  'closing lets a refusal go that is being read, whether fetch heeds its signal or not (%s)',
  async (transport) => {
    const body = manualBody()
    const { clock, stream } = await openScene({
      transport,
      fetch: async () => new Response(body.stream, { status: 403, headers: PROBLEM }),
    })
    stream.close()
    await settle()
    expect(body.cancelled).toBe(true)
    expect(clock.timerCount).toBe(0)
  },
)

test('a response without a type is told as such', async () => {
  const { stream } = await openScene({ fetch: async () => new Response(new ReadableStream()) })
  expect(stream.status).toMatchObject({
    error: { message: expect.stringContaining('The server answered with no Content-Type: is the URL right?') },
  })
})
