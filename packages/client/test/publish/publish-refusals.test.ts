/** What can never be published is said at once, and before anything is sent. */
import { ClientError } from '@millrace/client'
import { expect, test } from 'vitest'
import type { OutgoingEvent, PublishOptions } from '../../src/publish/publish-options.ts'
import { publish } from '../../src/publish/publish.ts'
import { ok, runPublish, type Answer } from './support/run-publish.ts'

const EVENT = { topic: 'a', data: 1 }
const PAGE = '<!DOCTYPE html>\n<title>Sign in</title>\n'

const page =
  (body: string, type = 'text/html'): Answer =>
  () =>
    new Response(body, { headers: { 'content-type': type } })

test.each<[PublishOptions, string]>([
  [{ timeoutMs: Number.POSITIVE_INFINITY }, 'timeoutMs is Infinity: give a number from 1 to 2147483647.'],
  [{ timeoutMs: 0 }, 'timeoutMs is 0: give a number from 1 to 2147483647.'],
  [{ timeoutMs: Number.NaN }, 'timeoutMs is NaN: give a number from 1 to 2147483647.'],
  [{ maxAttempts: 0 }, 'maxAttempts is 0: give a number from 1 to Infinity.'],
  [{ maxAttempts: Number.NaN }, 'maxAttempts is NaN: give a number from 1 to Infinity.'],
  [{ maxBackoffMs: -1 }, 'maxBackoffMs is -1: give a number from 0 to 2147483647.'],
  [{ credentials: 'yes' as 'omit' }, 'credentials is yes: give one of omit, same-origin, include.'],
  [{ headers: { 'bad name': 'x' } }, 'headers cannot be sent: '],
  [{ token: 'two\nlines' }, 'headers cannot be sent: '],
])('%o is refused', async (options, message) => {
  const { error, requests } = await runPublish(EVENT, [ok('1')], options)
  expect(error).toBeInstanceOf(ClientError)
  expect(error).toMatchObject({ code: 'invalid_option', message: expect.stringContaining(message) })
  // Not what may be a secret.
  expect((error as Error).message).not.toContain('two')
  expect(requests).toEqual([])
})

test.each([
  ['/events', 'url is /events: give an absolute URL where there is no page.'],
  ['http://[', 'url is http://[: give an absolute URL where there is no page.'],
  [
    'http://me:secret@hub.test/',
    'url has a user name or a password, which fetch does not send: give token or headers.',
  ],
])('the URL %s is refused', async (url, message) => {
  const { error, requests } = await runPublish(EVENT, [ok('1')], { url })
  expect(error).toMatchObject({ code: 'invalid_option', message })
  expect(requests).toEqual([])
})

test('what is no JSON is refused, and nothing of the batch is sent', async () => {
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  for (const data of [1n, cycle]) {
    const { error, requests } = await runPublish([EVENT, { topic: 'a', data }], [ok('1', '2')])
    expect(error).toMatchObject({
      code: 'invalid_option',
      message: expect.stringMatching(/^Event 1 cannot be sent as JSON: TypeError: /),
      cause: expect.any(TypeError),
      published: [],
    })
    expect(requests).toEqual([])
  }
  for (const dedupe of [true, false]) {
    const none = await runPublish([undefined as unknown as OutgoingEvent], [], { dedupe })
    expect(none.error).toMatchObject({ code: 'invalid_option' })
  }
})

test('limits at their bounds are taken', async () => {
  const bounds = { timeoutMs: 2 ** 31 - 1, maxAttempts: Number.POSITIVE_INFINITY, maxBackoffMs: 0 }
  expect(await runPublish(EVENT, [ok('1')], bounds)).toMatchObject({ ids: ['1'] })
})

test.each<[string, Answer]>([
  ['a page', page(PAGE)],
  ['nothing', page('')],
  ['another JSON', page('{"ok":true}', 'application/json')],
  ['no object', page('null', 'application/json')],
  ['too few ids', page('{"ids":[]}', 'application/json')],
])('an answer with status 200 that is %s is not asked for again', async (_, answer) => {
  const { error, requests } = await runPublish(EVENT, [answer, ok('1')])
  expect(error).toMatchObject({
    code: 'content_type',
    message: expect.stringMatching(/is no hub: is the URL right\?$/),
  })
  expect(requests).toHaveLength(1)
})

test.each<[string, Answer]>([
  ['a page', page(PAGE)],
  ['a page of one line', page('<h1>Sign in</h1>')],
  ['a line that is no object', page('{"id":"1"}\nnull\n')],
  ['a line with another error', page('{"error":"no"}\n')],
  ['a line with an id that is none', page('{"id":1}\n')],
  ['more lines than there are events', page('{"id":"1"}\n'.repeat(102))],
])('lines that are answered with status 200 by %s are not sent again', async (_, answer) => {
  const events = Array.from({ length: 101 }, () => EVENT)
  const { error, requests } = await runPublish(events, [answer])
  expect(error).toMatchObject({ code: 'content_type' })
  expect(requests).toHaveLength(1)
})

test('a redirect that makes a GET of it says where to publish, and nobody waits for the stream that answers', async () => {
  let isCancelled = false
  const body = new ReadableStream({ cancel: () => void (isCancelled = true) })
  const stream: Answer = () => {
    const response = new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    return Object.defineProperties(response, {
      redirected: { value: true },
      url: { value: 'https://hub.test/events' },
    })
  }
  const { error, requests } = await runPublish(EVENT, [stream])
  expect(error).toMatchObject({
    code: 'content_type',
    message:
      'http://hub.test/events redirects to https://hub.test/events, which was then asked by GET: publish to that URL.',
  })
  expect(requests).toHaveLength(1)
  expect(isCancelled).toBe(true)
})

test('a URL is resolved against the page', async () => {
  const { document } = globalThis as { document?: unknown }
  Object.assign(globalThis, { document: { baseURI: 'https://page.test/app/' } })
  try {
    let asked = ''
    const fetch = async (url: string): Promise<Response> => {
      asked = url
      return Response.json({ ids: ['1'] })
    }
    await publish('/events', EVENT, { fetch })
    expect(asked).toBe('https://page.test/events')
  } finally {
    Object.assign(globalThis, { document })
  }
})
