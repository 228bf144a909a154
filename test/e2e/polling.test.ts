/** Polling and streams by POST, over real HTTP. */
import { EventStreamParser, type ParsedEvent } from '@millrace/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHubProcess, type HubProcess } from './support/hub-process.ts'

interface Answer {
  readonly events: readonly { readonly id: string | null; readonly topic: string; readonly data: unknown }[]
  readonly cursor: string
  readonly reset: { readonly reason: string } | null
}

let hub: HubProcess

beforeAll(async () => {
  hub = await startHubProcess()
})
afterAll(() => hub.stop())

async function publish(events: object): Promise<void> {
  const response = await fetch(`${hub.url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(events),
  })
  expect(response.status).toBe(200)
}

async function poll(query: string, id?: string): Promise<Answer> {
  const headers = { accept: 'application/json', ...(id === undefined ? {} : { 'last-event-id': id }) }
  const response = await fetch(`${hub.url}/events?${query}`, { headers })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/json')
  expect(response.headers.get('vary')).toBe('Accept, Origin')
  expect(response.headers.get('cache-control')).toBe('no-store')
  return (await response.json()) as Answer
}

function post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${hub.url}/events/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

/** Reads a stream until the event is there, and leaves. */
async function readUntil(response: Response, isLast: (event: ParsedEvent) => boolean): Promise<readonly ParsedEvent[]> {
  const events: ParsedEvent[] = []
  const parser = new EventStreamParser({ onEvent: (event) => events.push(event) })
  for await (const bytes of response.body ?? []) {
    parser.push(bytes)
    if (events.some(isLast)) break
  }
  return events
}

describe('polling', () => {
  test('gets everything from the first answer on, each event once and in order', async () => {
    let { cursor, events } = await poll('topic=poll.*&wait=0')
    expect(events).toEqual([])
    const got: unknown[] = []
    for (let i = 0; i < 20; i++) {
      await publish([
        { topic: 'poll.a', data: 2 * i },
        { topic: 'other', data: 0 },
        { topic: 'poll.b', data: 2 * i + 1 },
      ])
      if (i % 3 > 0) continue
      ;({ cursor, events } = await poll('topic=poll.*', cursor))
      got.push(...events.map(({ data }) => data))
    }
    while (got.length < 40) {
      ;({ cursor, events } = await poll(`topic=poll.*&last_event_id=${cursor}`))
      got.push(...events.map(({ data }) => data))
    }
    expect(got).toEqual(Array.from({ length: 40 }, (_, n) => n))
  })

  test('waits for the first event, and is answered as soon as it is there', async () => {
    const { cursor } = await poll('topic=wait')
    const waiting = poll('topic=wait&wait=60', cursor)
    await publish({ topic: 'wait', data: 'now' })
    expect((await waiting).events).toMatchObject([{ topic: 'wait', data: 'now' }])
    expect((await poll('topic=wait&wait=0.05', cursor)).events).toHaveLength(1)
  })

  test('[MR-HTTP-10] may go on from the id of a stream, and a stream from the cursor of a poll', async () => {
    const stream = await fetch(`${hub.url}/events?topic=mixed`)
    await publish({ topic: 'mixed', data: 1 })
    const streamed = await readUntil(stream, ({ data }) => data === '1')
    await publish({ topic: 'mixed', data: 2 })
    const polled = await poll('topic=mixed', streamed.at(-1)?.lastEventId)
    expect(polled.events).toMatchObject([{ data: 2 }])
    await publish({ topic: 'mixed', data: 3 })
    const resumed = await fetch(`${hub.url}/events?topic=mixed`, { headers: { 'last-event-id': polled.cursor } })
    const events = await readUntil(resumed, ({ data }) => data === '3')
    expect(events.filter(({ type }) => !type.startsWith('stream:')).map(({ data }) => data)).toEqual(['3'])
  })

  test('tells of an id that it cannot go on from', async () => {
    expect(await poll('topic=a', 'nonsense')).toMatchObject({ events: [], reset: { reason: 'unknown_id' } })
  })

  test.each([
    ['wait=61', 'wait'],
    ['wait=-1', 'wait'],
    ['wait=soon', 'wait'],
    ['state=some', 'state'],
  ])('refuses %s', async (query, name) => {
    const response = await fetch(`${hub.url}/events?${query}`, { headers: { accept: 'application/json' } })
    expect(response.status).toBe(400)
    expect(((await response.json()) as { detail: string }).detail).toContain(`"${name}" is `)
  })

  test.each([
    ['application/json', 'application/json'],
    ['application/json, text/plain, */*', 'application/json'],
    ['text/event-stream, application/json', 'text/event-stream'],
    ['text/event-stream;q=0.5, application/json', 'application/json'],
    ['*/*', 'text/event-stream'],
    ['text/html', 'application/problem+json'],
  ])('Accept: %s is answered with %s', async (accept, type) => {
    const leaving = new AbortController()
    const response = await fetch(`${hub.url}/events?topic=a&wait=0`, { headers: { accept }, signal: leaving.signal })
    expect(response.headers.get('content-type')).toBe(type)
    expect(response.status).toBe(type === 'application/problem+json' ? 406 : 200)
    leaving.abort()
  })
})

describe('[MR-HTTP-11] a stream by POST', () => {
  test('is the same stream, with what it asks for in the body', async () => {
    const response = await post({ topic: ['posted.*', 'b'], type: 'x', name: 'topic', envelope: true })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    await publish([
      { topic: 'posted.1', type: 'y', data: 'not this' },
      { topic: 'posted.1', type: 'x', data: 'this' },
    ])
    const events = await readUntil(response, ({ type }) => type === 'posted.1')
    expect(JSON.parse(events.at(-1)?.data ?? '')).toMatchObject({ topic: 'posted.1', type: 'x', data: 'this' })
  })

  test('resumes by the header and by the body', async () => {
    const { cursor } = await poll('topic=back')
    await publish({ topic: 'back', data: 1 })
    for (const response of [
      await post({ topic: 'back' }, { 'last-event-id': cursor }),
      await post({ topic: 'back', last_event_id: cursor }),
    ]) {
      const events = await readUntil(response, ({ data }) => data === '1')
      expect(events.map(({ topic }) => topic)).toContain('back')
    }
  })

  test.each([
    ['{"topics": ["a"]}', 400, 'Did you mean "topic"?'],
    ['{"topic": []}', 400, '"topic" is an empty list'],
    ['{"topic": {"a": 1}}', 400, '"topic" is '],
    ['["a"]', 400, 'it must be an object'],
    ['{"topic": "a"', 400, 'not JSON'],
    ['{"topic": "a..b"}', 400, 'a..b'],
  ])('refuses %s', async (body, status, words) => {
    const response = await post(body)
    expect(response.status).toBe(status)
    expect(((await response.json()) as { detail: string }).detail).toContain(words)
  })

  test('refuses a body that is too large', async () => {
    const response = await post({ topic: 'a'.repeat(300_000) })
    expect(response.status).toBe(413)
    expect(((await response.json()) as { detail: string }).detail).toContain('more than 262144 bytes')
  })

  test('refuses a body of another type', async () => {
    const response = await post('topic=a', { 'content-type': 'application/x-www-form-urlencoded' })
    expect(response.status).toBe(415)
    expect(((await response.json()) as { detail: string }).detail).toContain('it must be application/json')
  })

  test('may poll as well', async () => {
    const response = await post({ topic: 'a', wait: 0 }, { accept: 'application/json' })
    expect(await response.json()).toMatchObject({ events: [], reset: null })
  })

  test('is opened with POST only', async () => {
    const response = await fetch(`${hub.url}/events/stream`)
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
  })
})
