/** Holds `GET /openapi.json` against what the hub does. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultHubSettings } from '../src/hub-settings.ts'
import { startHubServer, type HubServer } from '../src/http/hub-server.ts'
import { ask, type HubAnswer, type HubRequest } from './support/hub-request.ts'

interface Operation {
  readonly operationId: string
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: { readonly properties?: object } }>>
  }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: object
}

let server: HubServer
let document: Document
let ajv: Ajv2020

beforeAll(async () => {
  const topics = [{ match: 'state.>', kind: 'state' as const }]
  server = await startHubServer({ ...defaultHubSettings, log: 'memory:', topics, port: 0 })
  document = JSON.parse((await ask(`${server.url}/openapi.json`)).body) as Document
  ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
  ajv.addSchema({ $id: 'https://millrace.example/', components: document.components })
})
afterAll(() => server.close({ drainMs: 0 }))

function operations(): { readonly path: string; readonly method: string; readonly operation: Operation }[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
}

/** Whether the answer is one that the operation promises: its status, its media type and its body. */
function check(id: string, { status, headers, body }: HubAnswer): void {
  const found = operations().find(({ operation }) => operation.operationId === id)
  const promised = found?.operation.responses[status]
  if (!promised) throw new Error(`${id} answered ${status}, which the document does not have: ${body.slice(0, 300)}`)
  const type = headers['content-type']?.split(';')[0] ?? ''
  const schema = promised.content?.[type]?.schema
  if (promised.content && !schema)
    throw new Error(`${id} answered ${status} with ${type}, which the document does not have`)
  if (!schema || !/^application\/(?:problem\+)?json$/.test(type)) return
  const local = JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"https://millrace.example/#/components'))
  const isValid = ajv.validate(local, JSON.parse(body))
  expect({ id, errors: isValid ? null : ajv.errors }).toEqual({ id, errors: null })
}

const json = { 'content-type': 'application/json' }

function post(body: unknown): HubRequest {
  return { method: 'POST', headers: json, body: JSON.stringify(body) }
}

describe('the document', () => {
  test('is OpenAPI 3.1 whose operations have names of their own and say what is in their paths', () => {
    expect(document.openapi).toMatch(/^3\.1\./)
    const ids = operations().map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { path, operation } of operations()) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const declared = (operation.parameters ?? []).filter((each) => each.in === 'path').map(({ name }) => name)
      expect(declared).toEqual(named)
    }
  })

  test('has schemas that can be compiled', () => {
    for (const { operation } of operations()) {
      for (const { content } of Object.values(operation.responses)) {
        for (const { schema } of Object.values(content ?? {})) {
          const local = JSON.stringify(schema).replaceAll('"#/components', '"https://millrace.example/#/components')
          expect(() => ajv.compile(JSON.parse(local) as object)).not.toThrow()
        }
      }
    }
  })

  test('has a body for a stream that takes what the query takes', () => {
    const { post: posted } = document.paths['/events/stream'] ?? {}
    const { schema } = posted?.requestBody?.content['application/json'] ?? {}
    const takes = ajv.compile(schema ?? {})
    expect(takes({ topic: ['a'], wait: 0, state: 'all' })).toBe(true)
    expect(takes({ topic: 'a', wait: 2.5 })).toBe(true)
    expect(takes({ topics: ['a'] })).toBe(false)
    const names = document.paths['/events']?.['get']?.parameters?.filter((each) => each.in === 'query')
    for (const { name } of names ?? []) expect(Object.keys(schema?.properties ?? {})).toContain(name)
  })

  test('has exactly the methods that the hub serves at its paths', async () => {
    for (const [path, item] of Object.entries(document.paths)) {
      const target = path.replaceAll(/\{\w+\}/g, 'x')
      const { status, headers } = await ask(server.url + target, { method: 'PATCH' })
      expect({ path, status }).toEqual({ path, status: 405 })
      const allowed = String(headers['allow'])
        .split(', ')
        .filter((method) => method !== 'HEAD')
      const documented = Object.keys(item).map((method) => method.toUpperCase())
      expect({ path, methods: allowed.toSorted() }).toEqual({ path, methods: documented.toSorted() })
    }
  })
})

// oxlint-disable vitest/expect-expect -- `check` expects
describe('the hub answers as the document says', () => {
  test('to publishers', async () => {
    const url = `${server.url}/events`
    check('publish', await ask(url, post({ topic: 'a', data: 1 })))
    check(
      'publish',
      await ask(
        url,
        post([
          { topic: 'a', data: 1 },
          { topic: 'b', data: 'x', type: 't' },
        ]),
      ),
    )
    check('publish', await ask(url, post({ topic: 'a' })))
    check('publish', await ask(url, { ...post({ topic: 'a', data: 1 }), headers: { 'content-type': 'text/plain' } }))
    check('publish', await ask(url, post({ topic: 'a', data: 'x'.repeat(100_000) })))
    check(
      'publish',
      await ask(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: '{"topic":"a","data":1}\n',
      }),
    )
  })

  test('to clients that poll', async () => {
    const poll = (query: string): Promise<HubAnswer> =>
      ask(`${server.url}/events?${query}`, { headers: { accept: 'application/json' } })
    await server.hub.publish([
      { topic: 'state.a', key: 'k', data: { n: 1 } },
      { topic: 'ended', data: 1, end: true },
    ])
    for (const query of [
      'wait=0',
      'from=earliest&wait=0',
      'from=snapshot&wait=0',
      'last_event_id=nonsense&wait=0',
      'wait=x',
    ]) {
      check('subscribe', await poll(query))
    }
    check(
      'subscribeByBody',
      await ask(`${server.url}/events/stream`, {
        ...post({ topic: ['a'], wait: 0 }),
        headers: { ...json, accept: 'application/json' },
      }),
    )
    check('subscribeByBody', await ask(`${server.url}/events/stream`, post({ topics: ['a'] })))
  })

  test('to whoever asks how it is', async () => {
    for (const [id, path] of [
      ['live', '/health/live'],
      ['ready', '/health/ready'],
      ['metrics', '/metrics'],
      ['openapi', '/openapi.json'],
      ['stats', '/admin/stats'],
      ['connections', '/admin/connections'],
      ['topics', '/admin/topics'],
      ['topics', '/admin/topics?limit=0'],
    ] as const) {
      check(id, await ask(server.url + path))
    }
    check('stats', await ask(`${server.url}/admin/stats`, { headers: { via: '1.1 proxy' } }))
    check('endConnection', await ask(`${server.url}/admin/connections/nobody`, { method: 'DELETE' }))
  })

  test('with a stream open, of streams', async () => {
    const leaving = new AbortController()
    const stream = await fetch(`${server.url}/events?topic=a`, { signal: leaving.signal })
    const id = stream.headers.get('millrace-connection') ?? ''
    check('connections', await ask(`${server.url}/admin/connections`))
    const change = (body: unknown): Promise<HubAnswer> =>
      ask(`${server.url}/events/${id}/topics`, { ...post(body), method: 'PUT' })
    check('changeTopics', await change({ topics: ['b'], revision: 1, secret: 'wrong' }))
    check('changeTopics', await change({ topic: ['b'] }))
    check('endConnection', await ask(`${server.url}/admin/connections/${id}`, { method: 'DELETE' }))
    leaving.abort()
  })
})
