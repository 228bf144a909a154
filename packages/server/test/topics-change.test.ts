import { parseSelector } from '@millrace/protocol'
import { expect, test } from 'vitest'
import { startScene, type Scene, type Stream } from './support/hub-scene.ts'

const secretOf = (stream: Stream): string => (JSON.parse(stream.all()[0]?.data ?? '') as { secret: string }).secret

function change({ hub }: Scene, stream: Stream, topics: string, revision: number, from?: 'snapshot'): string {
  const [connection = ''] = [...hub.subscribers()].map((subscriber) => subscriber.connection)
  const selectors = topics.split(',').map((text) => parseSelector(text))
  const owner = { secret: secretOf(stream) }
  return hub.changeTopics(connection, { selectors, revision, owner, ...(from ? { from } : {}) }).kind
}

const said = (stream: Stream): string[] => stream.events().map(({ topic, data }) => `${topic} ${data}`)

test('[MR-CTL-11] from its own position on a stream gets what the new topics have, and stream:topics with an id', async () => {
  const scene = await startScene()
  const stream = await scene.open('a')
  await scene.publish('a', 1)
  const [id] = await scene.publish('b', 2)
  expect(change(scene, stream, 'b,c.*', 0)).toBe('changed')
  await scene.settle()
  expect(stream.all().at(-1)).toMatchObject({ type: 'stream:topics', lastEventId: id })
  expect(JSON.parse(stream.all().at(-1)?.data ?? '')).toEqual({ topics: ['b', 'c.*'], revision: 0 })
  await scene.publish('a', 3)
  await scene.publish('b', 4)
  await scene.publish('c.x', 5)
  expect(said(stream)).toEqual(['a 1', 'b 4', 'c.x 5'])
})

test('[MR-CTL-11] the last events of new topics come first when they are asked for, without ids, and only of new ones', async () => {
  const scene = await startScene()
  const stream = await scene.open('a.x')
  await scene.publish('a.x', 1)
  await scene.publish('a.y', 2)
  await scene.publish('a.y', 3)
  await scene.publish('b', 4)
  expect(change(scene, stream, 'a.*,b', 7, 'snapshot')).toBe('changed')
  await scene.settle()
  expect(said(stream)).toEqual(['a.x 1', 'a.y 3', 'b 4'])
  expect(stream.transport.text).toMatch(
    /\n\ntopic: a\.y\ndata: 3\n\ntopic: b\ndata: 4\n\nid: [^\n]+\nevent: stream:topics\n/,
  )
})

test('what a slow stream is still owed of topics that it keeps comes, whatever is added', async () => {
  const scene = await startScene({ maxBufferBytes: 2_048, hotWindowCount: 2 })
  const stream = await scene.open('a')
  stream.transport.isStalled = true
  const numbers = Array.from({ length: 120 }, (_, n) => n)
  for (const n of numbers) await scene.publish(n % 2 === 0 ? 'a' : 'b', n)
  expect(change(scene, stream, 'a,b', 1, 'snapshot')).toBe('changed')
  for (let i = 0; i < 60 && !stream.types().includes('stream:topics'); i++) {
    stream.transport.drain()
    await scene.publish('other', i)
  }
  await scene.publish('b', 'new')
  expect(said(stream).filter((text) => text.startsWith('a'))).toEqual(
    numbers.filter((n) => n % 2 === 0).map((n) => `a ${n}`),
  )
  expect(said(stream).filter((text) => text.startsWith('b'))).toEqual(['b 119', 'b new'])
})

test('values of new state topics come, those that the stream has do not come again', async () => {
  const scene = await startScene({}, [{ match: 's.>', kind: 'state' }])
  await scene.publish('s.a', 1)
  await scene.publish('s.b', 2)
  const stream = await scene.open('s.a')
  expect(said(stream)).toEqual(['s.a 1'])
  change(scene, stream, 's.*', 0)
  await scene.settle()
  expect(said(stream)).toEqual(['s.a 1', 's.b 2'])
})

test('only its owner changes a stream, and an older change never undoes a newer one', async () => {
  const scene = await startScene()
  const stream = await scene.open('a', { user: 'ann' })
  const [connection = ''] = [...scene.hub.subscribers()].map((subscriber) => subscriber.connection)
  const selectors = [parseSelector('b')]
  const ask = (revision: number, owner: { secret: string } | { user: string }, to = selectors) =>
    scene.hub.changeTopics(connection, { selectors: to, revision, owner })
  expect(ask(1, { secret: 'guessed' })).toEqual({ kind: 'not-owner' })
  expect(ask(1, { user: 'ben' })).toEqual({ kind: 'not-owner' })
  expect(ask(3, { user: 'ann' })).toEqual({ kind: 'changed' })
  expect(ask(2, { user: 'ann' })).toEqual({ kind: 'stale', revision: 3 })
  expect(ask(3, { user: 'ann' })).toEqual({ kind: 'changed' })
  expect(ask(3, { user: 'ann' }, [parseSelector('c')])).toEqual({ kind: 'stale', revision: 3 })
  const elsewhere = scene.hub.changeTopics('none', { selectors, revision: 9, owner: { secret: secretOf(stream) } })
  expect(elsewhere).toEqual({ kind: 'gone' })
})

test('nobody owns a stream by being no user', async () => {
  const scene = await startScene()
  await scene.open('a')
  const [connection = ''] = [...scene.hub.subscribers()].map((subscriber) => subscriber.connection)
  const owner = { user: undefined as unknown as string }
  expect(scene.hub.changeTopics(connection, { selectors: [parseSelector('b')], revision: 0, owner })).toEqual({
    kind: 'not-owner',
  })
})
