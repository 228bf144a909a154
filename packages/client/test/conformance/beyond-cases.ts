// oxlint-disable unicorn/prefer-add-event-listener -- the attributes are what is tried
import { exponentialBackoff } from '@millrace/client'
import type { ConformanceCase } from './conformance-case.ts'
import { streamOf } from './own-stream-cases.ts'
import { equal, pause, thrownBy, until } from './world.ts'

const BEYOND = 'beyond the standard'
const EVENT_STREAM = { 'content-type': 'text/event-stream' }

/** What only this class has, and what it does better than it would have to. */
export const beyondCases: readonly ConformanceCase[] = [
  {
    name: 'headers are sent, and read anew for each attempt',
    wpt: [],
    native: BEYOND,
    async run(world) {
      const headers: Record<string, string> = { Authorization: 'Bearer one', accept: 'text/event-stream, */*' }
      const heard = world.open([{ body: 'retry: 100\nid: 1\ndata: x\n\n', end: 'end' }, { body: 'data: y\n\n' }], {
        headers,
      })
      heard.source.onerror = () => void (headers['Authorization'] = 'Bearer two')
      await heard.messages(2)
      equal(
        (await heard.seen()).map((each) => [
          each.headers['authorization'],
          each.headers['accept'],
          each.headers['last-event-id'],
        ]),
        [
          ['Bearer one', 'text/event-stream, */*', undefined],
          ['Bearer two', 'text/event-stream, */*', '1'],
        ],
      )
    },
  },
  {
    name: 'a body is sent by POST, on each attempt',
    wpt: [],
    native: BEYOND,
    async run(world) {
      const init = { body: '{"prompt":"…"}', headers: { 'Content-Type': 'application/json' } }
      const heard = world.open([{ body: 'retry: 100\n', end: 'end' }, { body: 'data: y\n\n' }], init)
      await heard.messages(1)
      const sent = ['POST', '{"prompt":"…"}', 'application/json']
      equal(
        (await heard.seen()).map((each) => [each.method, each.body, each.headers['content-type']]),
        [sent, sent],
      )
    },
  },
  {
    name: 'a method is used',
    wpt: [],
    native: BEYOND,
    async run(world) {
      const heard = world.open([{ body: 'data: y\n\n' }], { method: 'QUERY', body: 'x' })
      await heard.messages(1)
      equal((await heard.seen())[0]?.method, 'QUERY')
    },
  },
  {
    name: 'what can never be sent is refused by the constructor',
    wpt: [],
    native: BEYOND,
    run(world) {
      // Methods and bodies that do not go together are refused where the runtime's `Request` refuses them; Bun's does not.
      let name = 'nothing'
      try {
        world.open([], { headers: { 'not a name': 'x' } })
      } catch (error) {
        name = (error as Error).name
      }
      equal(name, 'TypeError')
    },
  },
  {
    name: 'a URL with a user name is refused by the constructor where fetch refuses it, and sent elsewhere',
    wpt: [],
    native: BEYOND,
    run(world) {
      const url = 'http://me:secret@example.invalid/'
      equal(
        thrownBy(() => world.listen(new world.EventSource(url))),
        thrownBy(() => new Request(url)),
      )
    },
  },
  {
    name: 'a fetch of the user makes the requests, and can spread what it is given',
    wpt: [],
    native: BEYOND,
    async run(world) {
      let calls = 0
      const heard = world.open([{ body: 'retry: 100\nid: 7\n\n', end: 'end' }, { body: 'data: y\n\n' }], {
        fetch(url, init) {
          calls++
          return fetch(url, { ...init, headers: { ...init.headers, 'X-Call': String(calls) } })
        },
      })
      await heard.messages(1)
      const sent = (await heard.seen()).map(({ headers }) => [
        headers['x-call'],
        headers['accept'],
        headers['last-event-id'],
      ])
      equal(sent, [
        ['1', 'text/event-stream', undefined],
        ['2', 'text/event-stream', '7'],
      ])
    },
  },
  {
    name: 'a response that was made by hand is read like others, with the origin of the URL',
    wpt: [],
    native: BEYOND,
    async run(world) {
      const source = new world.EventSource('https://example.invalid/events', {
        fetch: () => Promise.resolve(new Response(streamOf('data: x\n\n'), { headers: EVENT_STREAM })),
      })
      const heard = world.listen(source)
      await heard.messages(1)
      equal(heard.notes[1]?.origin, 'https://example.invalid')
    },
  },
  {
    name: 'a signal closes it, at once where it is aborted before',
    wpt: [],
    native: BEYOND,
    async run(world) {
      const controller = new AbortController()
      const heard = world.open([{ body: 'data: x\n\n' }], { signal: controller.signal })
      await heard.messages(1)
      controller.abort()
      equal(heard.source.readyState, 2)
      await until(async () => (await heard.seen())[0]?.closed === true, 'the request to be given up')
      let calls = 0
      const late = world.open([], {
        signal: controller.signal,
        fetch(url, init) {
          calls++
          return fetch(url, init)
        },
      })
      equal(late.source.readyState, 2)
      await pause(50)
      equal([late.notes, calls, heard.states], [[], 0, ['open 1']])
    },
  },
  {
    name: 'with backoff and these statuses, a refusal is asked again',
    wpt: [],
    native: BEYOND,
    async run(world) {
      const heard = world.open(
        [
          { body: 'retry: 100\n', end: 'end' },
          { status: 503, end: 'end' },
          { status: 429, end: 'end' },
          { body: 'data: x\n\n' },
        ],
        { backoff: exponentialBackoff({ retryStatuses: [429, 503] }) },
      )
      await heard.messages(1)
      equal(heard.states, ['open 1', 'error 0', 'error 0', 'error 0', 'open 1'])
      const times = (await heard.seen()).map(({ atMs }) => atMs)
      equal((times[3] ?? 0) - (times[2] ?? 0) >= 395, true, `waits ${JSON.stringify(times)}`)
    },
  },
  {
    name: 'an error says what was wrong',
    wpt: [],
    native: BEYOND,
    async run(world) {
      const reasons: unknown[] = []
      for (const answer of [{ status: 404 }, { type: 'text/html' }, { body: 'retry: 100\n', end: 'end' as const }]) {
        const heard = world.open([{ end: 'end', ...answer }])
        heard.source.onerror = ({ reason }) =>
          void reasons.push([reason.kind, 'status' in reason ? reason.status : null])
        await heard.until('an error', ({ states }) => states.some((state) => state.startsWith('error')))
        heard.source.close()
      }
      equal(reasons, [
        ['status', 404],
        ['content_type', null],
        ['ended', null],
      ])
    },
  },
  {
    name: 'an id that no header can carry is left out, and the stream comes back',
    wpt: [],
    native: 'browsers send it, or not, each in its own way',
    async run(world) {
      const heard = world.open([{ body: 'retry: 100\nid: a\u0001b\ndata: 1\n\n', end: 'end' }, { body: 'data: 2\n\n' }])
      await heard.messages(2)
      equal((await heard.seen())[1]?.headers['last-event-id'], undefined)
      equal(
        heard.notes.flatMap(({ id }) => id ?? []),
        ['a\u0001b', 'a\u0001b'],
      )
    },
  },
  {
    name: 'a `retry` that no timer can hold is a long one, not none',
    wpt: [],
    native: 'it would take weeks to see',
    async run(world) {
      const heard = world.open([{ body: `retry: ${2 ** 40}\n`, end: 'end' }])
      await heard.changes(2)
      await pause(150)
      equal([heard.source.reconnectionTime, heard.source.readyState], [2 ** 31 - 1, 0])
      equal((await heard.seen()).length, 1)
    },
  },
  {
    name: 'a `retry` of 0 is no storm',
    wpt: [],
    native: 'browsers have bounds of their own',
    async run(world) {
      const heard = world.open([{ body: 'retry: 0\n', end: 'end' }])
      await pause(450)
      equal((await heard.seen()).length <= 5, true, 'number of requests')
    },
  },
]
