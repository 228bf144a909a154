// oxlint-disable unicorn/prefer-add-event-listener -- the attributes are what is tried
import type { ConformanceCase } from './conformance-case.ts'
import type { Answer } from './script.ts'
import { equal, pause, until } from './world.ts'

/** Browsers wait half a second at least, whatever `retry` says. */
const RETRY = 'retry: 500\n'

/** The targets of redirects have to end by themselves: Firefox does not end a request that was redirected, whoever aborts it. */
function redirect(status: number, location: string): Answer {
  return { status, type: null, headers: { Location: location }, end: 'end' }
}

/** Requests, responses, coming back and closing. */
export const connectionCases: readonly ConformanceCase[] = [
  {
    name: 'a request is a GET that accepts event streams, passes caches by, and has no id',
    wpt: [
      'request-accept.htm',
      'request-cache-control.any.js',
      'submissions/MOSQUITO/accept-header-include-text-event-stream.html',
    ],
    async run(world) {
      const heard = world.open([{ body: 'data: x\n\n' }])
      await heard.messages(1)
      const [request] = await heard.seen()
      equal(
        [request?.method, request?.headers['accept'], request?.headers['last-event-id']],
        ['GET', 'text/event-stream', undefined],
      )
    },
  },
  {
    name: 'open, message, error and open come in this order, each in its state, when the server ends the stream',
    wpt: ['eventsource-reconnect.js', 'submissions/MOSQUITO/user-agent-announce-connection.html'],
    async run(world) {
      const heard = world.open([{ body: `${RETRY}data: 1\n\n`, end: 'end' }, { body: 'data: 2\n\n' }])
      await heard.messages(2)
      equal(
        heard.notes.map(({ type, state }) => `${type} ${state}`),
        ['open 1', 'message 1', 'error 0', 'open 1', 'message 1'],
      )
    },
  },
  {
    name: 'a connection that breaks is made again, with the last id, from the first URL',
    wpt: ['eventsource-reconnect.js', 'format-field-id.htm'],
    async run(world) {
      const heard = world.open([{ body: `${RETRY}id: 41\ndata: 1\n\n`, end: 'cut' }, { body: 'data: 2\n\n' }])
      equal(await heard.messages(2), ['1', '2'])
      const [, second] = await heard.seen()
      equal(second?.rawHeaders.filter((name) => name.toLowerCase() === 'last-event-id').length, 1)
      equal(second?.headers['last-event-id'], '41')
      equal(heard.notes.at(-1)?.id, '41')
    },
  },
  {
    name: 'an id goes out as UTF-8',
    wpt: ['format-field-id.htm'],
    async run(world) {
      const heard = world.open([{ body: `${RETRY}id: …é\ndata: 1\n\n`, end: 'end' }, { body: 'data: 2\n\n' }])
      await heard.messages(2)
      const latin1 = (await heard.seen())[1]?.headers['last-event-id'] ?? ''
      equal(new TextDecoder().decode(Uint8Array.from(latin1, (byte) => byte.charCodeAt(0))), '…é')
    },
  },
  {
    name: 'an empty id is not sent',
    wpt: ['format-field-id-2.any.js'],
    async run(world) {
      const heard = world.open([
        { body: `${RETRY}id: 1\ndata: 1\n\nid\ndata: 2\n\n`, end: 'end' },
        { body: 'data: 3\n\n' },
      ])
      await heard.messages(3)
      equal('last-event-id' in ((await heard.seen())[1]?.headers ?? {}), false)
    },
  },
  {
    name: '`retry` is waited for, over connections too, and counts at once',
    wpt: ['format-field-retry.htm'],
    async run(world) {
      // Without a blank line: the field acts when its line ends.
      const heard = world.open([{ body: 'retry: 0800\n', end: 'end' }, { end: 'end' }, { body: 'data: x\n\n' }])
      await heard.messages(1)
      const times = (await heard.seen()).map(({ atMs }) => atMs)
      for (const [i, next] of times.slice(1).entries())
        equal(next - (times[i] ?? 0) >= 790, true, `wait of ${next - (times[i] ?? 0)}`)
    },
  },
  {
    name: 'a `retry` that is not all digits is ignored',
    wpt: ['format-field-retry-bogus.htm', 'format-field-retry-empty'],
    nativeFault: { firefox: 'takes an empty one for its default' },
    async run(world) {
      const wrong = ['5x', '-5', '+5', '5.0', '1e1', '  5', '５', '', '0x9'].map((value) => `retry:${value}\n`).join('')
      const heard = world.open([{ body: `retry: 700\n${wrong}`, end: 'end' }, { body: 'data: x\n\n' }])
      await heard.messages(1)
      const [first, second] = await heard.seen()
      equal((second?.atMs ?? 0) - (first?.atMs ?? 0) >= 690, true, 'wait')
    },
  },
  {
    name: 'an empty stream opens, and is asked for again',
    wpt: ['eventsource-reconnect.js'],
    async run(world) {
      const heard = world.open([{ body: RETRY, end: 'end' }, { end: 'end' }, { body: 'data: x\n\n' }])
      await heard.messages(1)
      equal(heard.states, ['open 1', 'error 0', 'open 1', 'error 0', 'open 1'])
    },
  },
  ...[201, 202, 204, 205, 206, 210, 299, 400, 401, 404, 410, 500, 503].map((status): ConformanceCase => ({
    name: `status ${status} ends it for good`,
    wpt: ['request-status-error.htm'],
    async run(world) {
      const heard = world.open([{ status, body: status === 204 || status === 205 ? '' : 'data: no\n\n', end: 'end' }])
      equal(await heard.changes(1), ['error 2'])
      await pause(30)
      equal([heard.states, heard.texts, (await heard.seen()).length], [['error 2'], [], 1])
    },
  })),
  {
    name: 'status 204 ends it for good on a later connection, too',
    wpt: ['eventsource-close.window.js'],
    async run(world) {
      const heard = world.open([
        { body: `${RETRY}data: 1\n\n`, end: 'end' },
        { body: `data: 2\n\n`, end: 'end' },
        { status: 204, end: 'end' },
      ])
      equal(await heard.changes(5), ['open 1', 'error 0', 'open 1', 'error 0', 'error 2'])
      equal(heard.texts, ['1', '2'])
    },
  },
  {
    name: 'parameters, case and a trailing semicolon of the type do not matter',
    wpt: ['format-mime-trailing-semicolon', 'format-mime-valid-bogus.htm'],
    nativeFault: { chromium: 'refuses a charset that is not UTF-8' },
    async run(world) {
      for (const type of [
        'text/event-stream;',
        'TEXT/EVENT-STREAM',
        'text/event-stream; charset=latin1',
        'text/event-stream;bogus',
      ]) {
        const heard = world.open([{ type, body: 'data: x\n\n' }])
        equal(await heard.messages(1), ['x'], type)
        heard.source.close()
      }
    },
  },
  {
    name: 'other types end it for good',
    wpt: ['format-mime-bogus'],
    async run(world) {
      for (const type of ['text/event-streams', 'x text/event-stream', 'text/plain', 'application/json', null]) {
        equal(await world.open([{ type, body: 'data: x\n\n', end: 'end' }]).changes(1), ['error 2'], String(type))
      }
    },
  },
  ...[301, 302, 303, 307, 308].map((status): ConformanceCase => ({
    name: `a redirect with status ${status} is followed`,
    wpt: ['request-redirect.htm'],
    async run(world) {
      const heard = world.open([redirect(status, world.url({ body: 'data: x\n\n', end: 'end' }))])
      equal(await heard.messages(1), ['x'])
      equal(heard.notes[1]?.origin, world.origin)
    },
  })),
  {
    name: 'after a redirect it comes back from the first URL',
    wpt: [],
    native: 'Chromium comes back to where it was redirected',
    async run(world) {
      const target = world.url({ body: `${RETRY}data: x\n\n`, end: 'end' }, { body: 'data: y\n\n', end: 'end' })
      const heard = world.open([redirect(302, target)])
      equal(await heard.messages(2), ['x', 'y'])
      equal((await heard.seen()).length, 2)
    },
  },
  {
    name: 'a redirect to nowhere ends it for good',
    wpt: ['request-redirect.htm'],
    async run(world) {
      equal(await world.open([{ status: 302, type: null, end: 'end' }]).changes(1), ['error 2'])
    },
  },
  {
    name: 'close() in `open` is the end: no error, nothing more',
    wpt: ['eventsource-close.window.js', 'shared-worker/eventsource-close.htm'],
    async run(world) {
      const heard = world.open([{ body: `${RETRY}data: 1\n\n` }])
      heard.source.onopen = () => heard.source.close()
      await heard.changes(1)
      await until(async () => (await heard.seen())[0]?.closed === true, 'the request to be given up')
      equal([heard.source.readyState, heard.states, heard.texts], [2, ['open 1'], []])
    },
  },
  {
    name: 'close() in the middle of a chunk: no event after it, from the same chunk neither',
    wpt: ['eventsource-close.window.js'],
    async run(world) {
      const heard = world.open([{ body: 'data: 1\n\ndata: 2\n\ndata: 3\n\n' }])
      heard.source.addEventListener('message', ({ data }) => void (data === '2' && heard.source.close()))
      await heard.messages(2)
      await pause(50)
      equal([heard.texts, heard.states], [['1', '2'], ['open 1']])
    },
  },
  {
    name: 'close() while connecting gives the request up, and no event comes',
    wpt: ['eventsource-close.window.js'],
    async run(world) {
      const heard = world.open([{ body: [300, 'data: 1\n\n'] }])
      heard.source.close()
      heard.source.close()
      await pause(400)
      equal([heard.source.readyState, heard.notes], [2, []])
    },
  },
  {
    name: 'close() in `error` keeps it from coming back',
    wpt: ['eventsource-close.window.js'],
    async run(world) {
      const heard = world.open([{ body: RETRY, end: 'end' }])
      heard.source.onerror = () => heard.source.close()
      await heard.changes(2)
      await pause(700)
      equal([heard.source.readyState, (await heard.seen()).length], [2, 1])
    },
  },
  {
    name: 'close() while waiting keeps it from coming back',
    wpt: ['eventsource-close.window.js'],
    async run(world) {
      const heard = world.open([{ body: RETRY, end: 'end' }])
      await heard.changes(2)
      heard.source.close()
      await pause(700)
      equal([heard.source.readyState, (await heard.seen()).length, heard.states.length], [2, 1, 2])
    },
  },
  {
    name: 'there are never two connections at once',
    wpt: [],
    async run(world) {
      const heard = world.open([{ body: `${RETRY}data: 1\n\n`, end: 'cut' }, { body: 'data: 2\n\n' }])
      await heard.messages(2)
      await pause(700)
      const seen = await heard.seen()
      equal(
        seen.map(({ closed }) => closed),
        [true, false],
      )
    },
  },
]
