import { expect, test } from 'vitest'
import { defaultHubSettings } from '../src/hub-settings.ts'
import { startHubServer } from '../src/http/hub-server.ts'
import { ask } from './support/hub-request.ts'

test('a hub without keys takes events for users, and lets nobody ask for them who is no user', async () => {
  const server = await startHubServer({ ...defaultHubSettings, log: 'memory:', port: 0 })
  const received = server.hub.subscribe({ topics: ['@alice'], from: 'earliest' })
  const { status } = await ask(`${server.url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"topic": "@alice", "data": "for her alone"}',
  })
  expect(status).toBe(200)
  expect((await received.next()).value).toMatchObject({ topic: '@alice', data: 'for her alone' })
  for (const topic of ['@alice', '@me']) {
    const refused = await ask(`${server.url}/events?topic=${topic}`)
    expect([refused.status, refused.body]).toEqual([403, expect.stringContaining('this request comes from no user')])
  }
  const all = await ask(`${server.url}/events?from=snapshot&wait=0`, { headers: { accept: 'application/json' } })
  expect(all.body).toContain('"events":[]')
  await server.close({ drainMs: 0 })
})
