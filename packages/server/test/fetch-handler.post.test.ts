import { createHub, memory, type Hub } from '@millrace/server'
import { afterEach, describe, expect, test } from 'vitest'
import { readBody } from './support/read-body.ts'

const hubs: Hub[] = []
const leaving = new AbortController()

async function hubOf(): Promise<Hub> {
  const hub = createHub({ backend: memory() })
  hubs.push(hub)
  await hub.ready()
  return hub
}

function ask(query: string, init: RequestInit): Request {
  return new Request(`https://example.org/events${query}`, { signal: leaving.signal, ...init })
}

afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.close({ drainMs: 0 })
})

describe('what is asked by POST', () => {
  const post = (body: BodyInit | null, type = 'application/json'): Request =>
    ask('', { method: 'POST', headers: { 'Content-Type': type }, body })

  test('has the names of the query, in JSON', async () => {
    const hub = await hubOf()
    const response = await hub.fetchHandler()(
      post('{"topic":["a","c.*"],"type":"seen","name":"topic","envelope":true}'),
    )
    await hub.publish([
      { topic: 'b', type: 'seen', data: 'hidden' },
      { topic: 'c.d', type: 'other', data: 'hidden' },
      { topic: 'c.d', type: 'seen', data: 'shown' },
    ])
    const text = await readBody(response, 'shown')
    expect(text).toMatch(/event: c\.d\ntopic: c\.d\ndata: \{"id":/)
    expect(text).not.toContain('hidden')
  })

  test('takes from the query what the body leaves out, and nothing else', async () => {
    const hub = await hubOf()
    const { ids } = await hub.publish([
      { topic: 'a', data: 'first' },
      { topic: 'a', data: 'second' },
    ])
    const [first = '', second = ''] = ids
    const open = async (query: string, body: object): Promise<string> => {
      const headers = { 'Content-Type': 'application/json' }
      const request = ask(query, { method: 'POST', headers, body: JSON.stringify(body) })
      const text = readBody(await hub.fetchHandler()(request), 'data: end')
      await hub.publish([
        { topic: 'b', data: 'hidden' },
        { topic: 'a', data: 'end' },
      ])
      return text
    }
    expect(await open('?topic=a&utm=1', {})).not.toContain('hidden')
    expect(await open('?topic=b', { topic: 'a' })).not.toContain('hidden')
    expect(await open(`?last_event_id=${first}`, { topic: 'a' })).toContain('second')
    const ofBody = await open(`?last_event_id=${first}`, { topic: 'a', last_event_id: second })
    expect(ofBody).toContain('data: end')
    expect(ofBody).not.toContain('data: second')
  })

  test.each([
    ['{"topic":', 400, 'The body is not JSON'],
    ['["a"]', 400, 'it must be an object'],
    ['{"topics":["a"]}', 400, 'Did you mean "topic"?'],
    ['{"topic":[]}', 400, 'is an empty list'],
    ['{"topic":[["a"]]}', 400, 'or a list of texts'],
    ['{"from":{}}', 400, '"from" is an object; give a text.'],
    [new Uint8Array([0x22, 0xff, 0x22]), 400, 'The body is not JSON in UTF-8'],
    [`{"topic":"${'a'.repeat(256 * 1024)}"}`, 413, 'The body has more than 262144 bytes'],
    [null, 400, 'The body is not JSON'],
  ])('%s is answered with %i', async (body, status, detail) => {
    const hub = await hubOf()
    const response = await hub.fetchHandler()(post(body))
    expect([response.status, (await response.json()).detail]).toEqual([status, expect.stringContaining(detail)])
  })

  test('that was compressed, and could not be read, is answered with 415', async () => {
    const hub = await hubOf()
    const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }
    const body = new Uint8Array([0x1f, 0x8b, 8, 0])
    const response = await hub.fetchHandler()(ask('', { method: 'POST', headers, body }))
    expect([response.status, (await response.json()).detail]).toEqual([415, expect.stringContaining('"gzip"')])
    // What a framework has decompressed has the header still.
    const read = await hub.fetchHandler()(ask('', { method: 'POST', headers, body: '{"topic":"a"}' }))
    expect(read.status).toBe(200)
  })

  test('is JSON, or is answered with 415', async () => {
    const hub = await hubOf()
    const response = await hub.fetchHandler()(post('{}', 'text/plain'))
    expect([response.status, (await response.json()).detail]).toEqual([415, expect.stringContaining('"text/plain"')])
  })
})
