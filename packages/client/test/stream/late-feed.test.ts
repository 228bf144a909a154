import { expect, onTestFinished, test } from 'vitest'
import type { EventFeed } from '../../src/stream/event-feed.ts'
import type { EventStream } from '../../src/stream/event-stream.ts'
import { httpFeed } from '../../src/stream/http-feed.ts'
import { lateFeed } from '../../src/stream/late-feed.ts'
import { resilientStream } from '../../src/stream/resilient-stream.ts'
import { resolveStreamOptions } from '../../src/stream/stream-options.ts'
import { ReferenceHub } from './support/reference-hub.ts'
import { URL_OF_HUB } from './support/scene.ts'
import { settle, TestClock } from './support/test-clock.ts'
import { uncaughtIn } from './support/uncaught.ts'

interface LateScene {
  readonly hub: ReferenceHub
  readonly stream: EventStream
  /** The code is there, or cannot be had. */
  load(isThere: boolean): Promise<void>
}

function scene(): LateScene {
  const clock = new TestClock()
  const hub = new ReferenceHub(clock)
  const options = resolveStreamOptions(URL_OF_HUB, { topics: ['a'], clock, fetch: hub.fetch })
  let done: (feed: EventFeed | undefined) => void = () => {}
  let another = (): EventFeed => {
    throw new Error('not opened')
  }
  const stream = resilientStream<Record<string, unknown>>(options, (settings, sink) => {
    another = () => httpFeed(settings, sink)
    return lateFeed(httpFeed(settings, sink), () => new Promise((resolve) => (done = resolve)))
  })
  onTestFinished(() => stream.close())
  const load = async (isThere: boolean): Promise<void> => {
    done(isThere ? another() : undefined)
    await settle()
  }
  return { hub, stream, load }
}

test.each([true, false])(
  'topics that are added while the code is loaded are all asked for (loaded: %s)',
  async (is) => {
    const { hub, stream, load } = scene()
    const changes = [stream.addTopics(['b']), stream.addTopics(['c'], { from: 'snapshot' }), stream.removeTopics(['a'])]
    expect(stream.topics).toEqual(['b', 'c'])
    await load(is)
    await Promise.all(changes)
    expect(stream.topics).toEqual(['b', 'c'])
    expect(hub.streams.map(({ topics }) => topics)).toEqual([['b', 'c']])
  },
)

test('topics that were asked for before the stream is closed are told, and trouble nobody who does not look', async () => {
  const uncaught = await uncaughtIn(async () => {
    const { stream, hub, load } = scene()
    void stream.addTopics(['b'])
    const change = stream.addTopics(['c'])
    stream.close()
    await expect(change).rejects.toMatchObject({ code: 'closed' })
    await load(true)
    await expect(stream.addTopics(['d'])).rejects.toMatchObject({ code: 'closed' })
    expect(hub.requests).toEqual([])
  })
  expect(uncaught).toEqual([])
})

test('a feed whose promises nobody looks at makes no unhandled rejection', async () => {
  const uncaught = await uncaughtIn(async () => {
    const clock = new TestClock()
    const hub = new ReferenceHub(clock)
    const options = resolveStreamOptions(URL_OF_HUB, { topics: ['a'], clock, fetch: hub.fetch })
    const stream = resilientStream(options, (settings, sink) => ({
      ...httpFeed(settings, sink),
      setTopics: () => Promise.reject(new Error('refused')),
    }))
    void stream.setTopics(['b'])
    void stream.addTopics(['c'])
    void stream.removeTopics(['a'])
    await settle()
    stream.close()
  })
  expect(uncaught).toEqual([])
})
