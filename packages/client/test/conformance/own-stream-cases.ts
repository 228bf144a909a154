// oxlint-disable unicorn/prefer-add-event-listener -- the attributes are what is tried
import type { ConformanceCase } from './conformance-case.ts'
import { equal, pause, until, type Heard, type World } from './world.ts'

/** A stream of these chunks, each text or bytes. */
export function streamOf(...chunks: readonly string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk))
      controller.close()
    },
  })
}

const fromReadableStream = [
  'eventsource-from-readable-stream.any.js',
  'eventsource-from-readable-stream-fetch.window.js',
]

function fromStream(world: World, stream: ReadableStream<Uint8Array>): Heard {
  return world.listen(world.EventSource.fromReadableStream(stream))
}

/** `EventSource.fromReadableStream()`, as whatwg/html's pull request 12272 proposes it. */
export const ownStreamCases: readonly ConformanceCase[] = [
  {
    name: 'a stream of the user is read, opened in a later task, and its end is the end',
    wpt: fromReadableStream,
    native: 'not in browsers yet',
    async run(world) {
      const heard = fromStream(
        world,
        streamOf('\ufeffid: 4', '2\nretry: 5000\ndata: a\r\rda', 'ta: b\n\nevent: x\ndata: c\n\n: no'),
      )
      heard.source.addEventListener('x', ({ data }) => heard.notes.push({ type: 'x', state: 1, data }))
      const { url, readyState, withCredentials, lastEventId, reconnectionTime } = heard.source
      equal(
        [url, readyState, withCredentials, lastEventId, reconnectionTime],
        ['about:event-stream', 0, false, '', 3000],
      )
      equal(heard.source instanceof world.EventSource, true)
      await pause(0)
      await heard.changes(2)
      equal(
        [heard.states, heard.texts],
        [
          ['open 1', 'error 2'],
          ['a', 'b', 'x:c'],
        ],
      )
      equal([heard.notes[1]?.origin, heard.notes[1]?.id], ['null', '42'])
      equal([heard.source.lastEventId, heard.source.reconnectionTime], ['42', 5000])
      await pause(50)
      equal(heard.states.length, 2)
    },
  },
  {
    name: 'a stream of the user that fails is the end',
    wpt: fromReadableStream,
    native: 'not in browsers yet',
    async run(world) {
      const heard = fromStream(
        world,
        new ReadableStream({ start: (controller) => controller.error(new Error('broken')) }),
      )
      let reason: unknown
      heard.source.onerror = (event) => void (reason = event.reason)
      await heard.until('an error', ({ states }) => states.includes('error 2'))
      equal((reason as { kind?: string }).kind, 'network')
    },
  },
  {
    name: 'a stream of the user is locked at once, must not be locked, and is cancelled by close()',
    wpt: fromReadableStream,
    native: 'not in browsers yet',
    async run(world) {
      let cancelled = false
      const stream = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) })
      const heard = fromStream(world, stream)
      equal(stream.locked, true)
      let name = ''
      try {
        fromStream(world, stream)
      } catch (error) {
        name = (error as Error).name
      }
      equal(name, 'TypeError')
      heard.source.close()
      equal(heard.source.readyState, 2)
      await until(() => cancelled, 'the stream to be cancelled')
      equal(heard.notes, [])
    },
  },
  {
    name: 'streams may be piped one behind the other; reset() forgets what is unfinished, and keeps id and reconnection time',
    wpt: fromReadableStream,
    native: 'not in browsers yet',
    async run(world) {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
      const heard = fromStream(world, readable)
      await streamOf('id: 1\nretry: 7\ndata: a\n\nevent: lost\nid: 2\ndata: lo').pipeTo(writable, {
        preventClose: true,
      })
      await heard.messages(1)
      heard.source.reset()
      await streamOf('\ufeffdata: b\n\n').pipeTo(writable, { preventClose: true })
      equal(await heard.messages(2), ['a', 'b'])
      equal([heard.notes.at(-1)?.id, heard.source.lastEventId, heard.source.reconnectionTime], ['1', '1', 7])
    },
  },
]
