import { userTopic } from '@millrace/protocol'
import { createHub, memory, type Grant, type Hub } from '@millrace/server'
import { afterEach, expect, test } from 'vitest'
import { readBody } from './support/read-body.ts'

let hub: Hub
let leaving = new AbortController()

async function ask(query: string, grant: Grant): Promise<Response> {
  hub = createHub({ backend: memory() })
  await hub.ready()
  const request = new Request(`https://example.org/events${query}`, { signal: leaving.signal })
  return hub.fetchHandler({ authorize: () => grant })(request)
}

afterEach(async () => {
  leaving.abort()
  leaving = new AbortController()
  await hub.close({ drainMs: 0 })
})

test.each([
  ['?topic=@me', { subscribe: ['news'], user: 'alice@example.com' }],
  ['?topic=@alice%2540example%252Ecom', { subscribe: ['news'], user: 'alice@example.com' }],
  ['', { subscribe: ['news', '@bob'], user: 'alice@example.com' }],
])('[MR-TOPIC-6] a user gets her own topic with %s', async (query, grant) => {
  const response = await ask(query, grant)
  expect(response.status).toBe(200)
  await hub.publish([
    { topic: '@bob', data: 'not for her' },
    { topic: userTopic('alice@example.com'), data: 'for her' },
  ])
  const text = await readBody(response, 'data: for her\n\n')
  expect(text).toContain('topic: @alice%40example%2Ecom\n')
  expect(text).not.toContain('not for her')
})

test.each([
  ['?topic=@me', { subscribe: ['>'] }, 'this request comes from no user'],
  ['?topic=@bob', { subscribe: ['>', '@bob'] }, 'this request comes from no user'],
  ['?topic=@bob', { subscribe: ['>', '@bob'], user: 'alice' }, 'Not allowed to subscribe to @bob.'],
  ['', { subscribe: ['@bob'] }, 'This client may subscribe to nothing.'],
])('[MR-TOPIC-6] nobody else gets it, whatever the grant says: %s', async (query, grant, detail) => {
  const response = await ask(query, grant)
  expect(response.status).toBe(403)
  expect(await response.json()).toMatchObject({ detail: expect.stringContaining(detail) })
})
