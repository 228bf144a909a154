import { expect, test } from 'vitest'
import { startScene, type Stream } from './support/hub-scene.ts'

const said = (stream: Stream): string[] => stream.events().map(({ data }) => data)

test('[MR-RES-21] an event is kept from the client that it names, live and in a replay, and from nobody else', async () => {
  const { hub, open, publish, settle } = await startScene()
  const [start] = await publish('a', 0)
  const [ann, ben, other] = [await open('a', { client: 'ann' }), await open('a', { client: 'ben' }), await open('a')]
  const { ids } = await hub.publish([
    { topic: 'a', data: 1, except: 'ann' },
    { topic: 'a', data: 2 },
    { topic: 'a', data: 3, except: 'ann' },
  ])
  await settle()
  expect([ann, ben, other].map((stream) => said(stream))).toEqual([['2'], ['1', '2', '3'], ['1', '2', '3']])
  const back = await open('a', { client: 'ann', lastEventId: start })
  expect(said(back)).toEqual(['2'])
  expect(back.all().at(-1)?.lastEventId).toBe(ids[2])
})

test('[MR-RES-21] a pass that has nothing for a client but what is kept from it writes nothing, and its id moves on', async () => {
  const { hub, open, settle } = await startScene({ heartbeatMs: 1_000 })
  const stream = await open('a', { client: 'ann' })
  const before = stream.transport.text.length
  const { ids } = await hub.publish({ topic: 'a', data: 1, except: 'ann' })
  await settle(10)
  expect(stream.transport.text).toHaveLength(before)
  await settle(1_000)
  expect(stream.all().at(-1)).toMatchObject({ type: 'stream:position', lastEventId: ids[0] })
})

test('[MR-RES-22] an ephemeral event goes to who is live, has no id and is not kept', async () => {
  const { hub, open, publish, settle } = await startScene()
  const [start] = await publish('a', 0)
  const stream = await open('a')
  const result = await hub.publish([
    { topic: 'a', data: 'typing', ephemeral: true },
    { topic: 'a', data: 'said' },
  ])
  expect(result.ids).toEqual([null, expect.any(String)])
  await settle(10)
  expect(said(stream).toSorted()).toEqual(['said', 'typing'])
  expect(stream.transport.text).toContain('\n\ntopic: a\ndata: typing\n\n')
  const late = await open('a', { lastEventId: start })
  expect(said(late)).toEqual(['said'])
})

test('[MR-RES-22] who would have to wait for an ephemeral event does without it, and stays live', async () => {
  const { hub, open, settle } = await startScene({ maxBufferBytes: 1_024 })
  const stream = await open('a')
  stream.transport.isStalled = true
  for (let n = 0; n < 30; n++) {
    await hub.publish({ topic: 'a', data: 'x'.repeat(100), ephemeral: true })
    await settle(10)
  }
  expect(stream.transport.bufferedBytes).toBeLessThanOrEqual(1_024)
  expect(hub.stats()).toMatchObject({ live: 1, catchingUp: 0 })
})

test('a reader inside the process gets ephemeral events while it waits', async () => {
  const { hub, settle } = await startScene()
  const events = hub.subscribe({ topics: ['a'] })
  const next = events.next()
  await settle()
  await hub.publish({ topic: 'a', data: 'typing', ephemeral: true })
  await settle(10)
  expect((await next).value).toMatchObject({ kind: 'event', id: null, data: 'typing' })
  await events.return()
})

test('[MR-RES-22] ephemeral events of several topics that leave together keep their order', async () => {
  const { hub, open, settle } = await startScene()
  const stream = await open('a,b,c')
  await hub.publish(
    ['a', 'b', 'a', 'c', 'b'].map((topic, n) => ({ topic, data: n, ...(topic === 'c' ? {} : { ephemeral: true }) })),
  )
  await settle(10)
  expect(said(stream)).toEqual(['3', '0', '1', '2', '4'])
})
