import { expect, test } from 'vitest'
import { openScene } from './support/scene.ts'
import { settle } from './support/test-clock.ts'

test('topics that are refused are told, and the old ones stay', async () => {
  const { hub, stream, data } = await openScene({ topics: ['a'] })
  await expect(stream.addTopics(['secret.plans'])).rejects.toMatchObject({
    code: 'status',
    status: 403,
    message: 'The server answered 403: The grant does not cover it.',
  })
  expect(stream.topics).toEqual(['a'])
  hub.publish('a', 1)
  await settle()
  expect(data()).toEqual([1])
  expect(stream.status.name).toBe('open')
})

test('topics that are wanted while others are being refused are asked for all the same', async () => {
  const { hub, stream, data } = await openScene({ topics: ['a'] })
  const changes = [stream.setTopics(['secret.plans']), stream.setTopics(['secret.too']), stream.setTopics(['b'])]
  const outcomes = await Promise.allSettled(changes)
  expect(outcomes).toMatchObject([
    { status: 'rejected', reason: { status: 403 } },
    // The server has never been asked for these: those that came after them are what is wanted.
    { status: 'fulfilled' },
    { status: 'fulfilled' },
  ])
  expect(stream.topics).toEqual(['b'])
  hub.publish('a', 1)
  hub.publish('b', 2)
  await settle()
  expect(data()).toEqual([2])
  await expect(stream.addTopics(['secret.plans'])).rejects.toMatchObject({ status: 403 })
  expect(stream.topics).toEqual(['b'])
  expect(hub.requests.map(({ method }) => method)).toEqual(['GET', 'PUT', 'PUT', 'PUT'])
})

test('topics that come after others whose snapshot is refused begin with what comes next', async () => {
  const { hub, stream, data } = await openScene({ topics: ['a'] })
  hub.publish('b', 'past')
  const refused = stream.setTopics(['secret.plans'], { from: 'snapshot' })
  const changed = stream.setTopics(['b'])
  await expect(refused).rejects.toMatchObject({ status: 403 })
  await changed
  hub.publish('b', 'next')
  await settle()
  expect(data()).toEqual(['next'])
})

test('topics that are refused to a poll are told, and the old ones stay', async () => {
  const { clock, hub, stream, data } = await openScene({ topics: ['a'], transport: 'long-polling' })
  hub.faultOf = ({ url }) => (url.searchParams.has('topic', 'bad') ? { kind: 'answer', status: 400 } : undefined)
  await clock.advance(1_000)
  const refused = stream.addTopics(['bad']).catch((error: unknown) => error)
  await clock.advance(1_000)
  expect(await refused).toMatchObject({ status: 400 })
  expect(stream.topics).toEqual(['a'])
  hub.publish('a', 1)
  await clock.advance(1_000)
  expect(data()).toEqual([1])
})
