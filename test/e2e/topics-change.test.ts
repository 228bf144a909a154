/** `PUT /events/{connection}/topics`, over real HTTP. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHubProcess, type HubProcess } from './support/hub-process.ts'
import { openStream, type Block, type StreamReader } from './support/stream-reader.ts'

let hub: HubProcess

beforeAll(async () => {
  hub = await startHubProcess()
})
afterAll(() => hub.stop())

interface Opened {
  readonly stream: StreamReader
  readonly connection: string
  readonly secret: string
}

/** The first block from here on that fits. */
async function find(stream: StreamReader, fits: (block: Block) => boolean): Promise<Block> {
  const block = (await stream.until(fits)).at(-1)
  if (!block) throw new Error('The stream ended before that.')
  return block
}

async function open(topics: string): Promise<Opened> {
  const stream = await openStream(`${hub.url}/events?topic=${topics}`)
  const connected = await find(stream, ({ event }) => event === 'stream:connected')
  const { connection, secret } = JSON.parse(connected.data ?? '') as Opened
  return { stream, connection, secret }
}

async function publish(topic: string, data: unknown): Promise<void> {
  const body = JSON.stringify({ topic, data })
  await fetch(`${hub.url}/events`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
}

async function change(
  connection: string,
  body: object,
): Promise<{ readonly status: number; readonly answer: unknown }> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${hub.url}/events/${connection}/topics`, {
    method: 'PUT',
    headers,
    body: JSON.stringify(body),
  })
  return { status: response.status, answer: await response.json() }
}

describe('the topics of an open stream', () => {
  test('are replaced, and the stream says from where on', async () => {
    const { stream, connection, secret } = await open('a')
    const topics = ['b.*', 'c']
    expect(await change(connection, { topics, revision: 1, secret })).toEqual({
      status: 200,
      answer: { topics, revision: 1 },
    })
    const changed = await find(stream, ({ event }) => event === 'stream:topics')
    expect(JSON.parse(changed.data ?? '')).toEqual({ topics, revision: 1 })
    expect(changed.id).toMatch(/^[a-z0-9]+-\d+-[a-z0-9]{3}$/)
    await publish('a', 'not any more')
    await publish('b.1', 'new')
    expect((await find(stream, ({ topic }) => topic !== undefined)).data).toBe('new')
  })

  test('bring the last event of what is new, if asked for', async () => {
    await publish('past.new', 'last')
    const { stream, connection, secret } = await open('past.old')
    await change(connection, { topics: ['past.*'], revision: 1, secret, from: 'snapshot' })
    const last = await find(stream, ({ topic }) => topic === 'past.new')
    expect([last.data, last.id]).toEqual(['last', undefined])
    await stream.until(({ event }) => event === 'stream:topics')
  })

  test('are for its owner alone, and in order', async () => {
    const { connection, secret } = await open('a')
    expect(await change(connection, { topics: ['b'], revision: 2 })).toMatchObject({ status: 403 })
    expect(await change(connection, { topics: ['b'], revision: 2, secret: 'guessed' })).toMatchObject({ status: 403 })
    expect(await change(connection, { topics: ['b'], revision: 2, secret })).toMatchObject({ status: 200 })
    expect(await change(connection, { topics: ['c'], revision: 1, secret })).toMatchObject({
      status: 409,
      answer: { title: 'Conflict', detail: expect.stringContaining('Give a higher one') },
    })
    expect(await change('nobody', { topics: ['b'], revision: 3, secret })).toMatchObject({ status: 404 })
  })

  test.each([
    [{ topic: ['b'], revision: 1 }, 'Did you mean "topics"?'],
    [{ topics: 'b', revision: 1 }, '"topics" is "b"'],
    [{ topics: [], revision: 1 }, 'No topic is asked for'],
    [{ topics: ['a..b'], revision: 1 }, 'a..b'],
    [{ topics: ['b'] }, '"revision" is missing'],
    [{ topics: ['b'], revision: 1.5 }, '"revision" is 1.5'],
    [{ topics: ['b'], revision: 1, from: 'earliest' }, '"from" is "earliest"'],
    [{ topics: ['b'], revision: 1, secret: 7 }, '"secret" is 7'],
  ])('are not changed by %o', async (body, words) => {
    const { connection } = await open('a')
    expect(await change(connection, body)).toMatchObject({
      status: 400,
      answer: { detail: expect.stringContaining(words) },
    })
  })

  test('are not what a user topic of somebody else can be among', async () => {
    const { connection, secret } = await open('a')
    expect(await change(connection, { topics: ['@alice'], revision: 1, secret })).toMatchObject({
      status: 403,
      answer: { detail: expect.stringContaining('comes from no user') },
    })
  })
})
