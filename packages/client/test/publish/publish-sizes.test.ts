import { defaultHubSettings, startHubServer } from '@millrace/hub'
import { expect, onTestFinished, test } from 'vitest'
import type { OutgoingEvent } from '../../src/publish/publish-options.ts'
import { publish } from '../../src/publish/publish.ts'
import { network, ok, refused, runPublish, type Answer } from './support/run-publish.ts'

const MIB = 1024 * 1024
const KEY = { dedupeKey: '' }

/** Events whose array is as many bytes long. */
function arrayOf(count: number, bytes: number, character = 'x'): OutgoingEvent[] {
  const events = Array.from({ length: count }, () => ({ topic: 'a', data: '', ...KEY }))
  const left = bytes - JSON.stringify(events).length
  const perEvent = Math.floor(left / count / Buffer.byteLength(character))
  const filled = events.map((event) => ({ ...event, data: character.repeat(perEvent) }))
  const [first = { topic: 'a', data: '' }, ...others] = filled
  const rest = bytes - Buffer.byteLength(JSON.stringify(filled))
  return [{ ...first, data: `${first.data}${'.'.repeat(rest)}` }, ...others]
}

/** Answers each line of the request with what its event has as data, or its place. */
function echo(requests: string[][] = []): Answer {
  return (body) => {
    const texts = body.trimEnd().split('\n')
    requests.push(texts)
    return new Response(texts.map((_, i) => `{"id":"${requests.length}-${i}"}\n`).join(''))
  }
}

test.each(['x', 'é', '😀'])(
  'up to 100 events go as one array as long as it is no larger than 1 MiB, in %s',
  async (character) => {
    const fits = arrayOf(100, MIB, character)
    const { requests, bodies } = await runPublish(fits, [ok(...fits.map((_, i) => String(i)))])
    expect(Buffer.byteLength(bodies[0] ?? '')).toBe(MIB)
    expect(requests[0]?.init.headers['content-type']).toBe('application/json')
    const tooMuch = arrayOf(100, MIB + 1, character)
    const more = await runPublish(tooMuch, [echo()])
    expect(more.requests[0]?.init.headers['content-type']).toBe('application/x-ndjson')
    expect(more.ids).toHaveLength(100)
  },
)

test('what is too large for one request goes in several, in order, none larger than 1 MiB', async () => {
  const events = Array.from({ length: 50 }, (_, i) => ({ topic: 'a', data: [i, 'x'.repeat(60 * 1024)], ...KEY }))
  const requests: string[][] = []
  const { ids, bodies } = await runPublish(events, [echo(requests), echo(requests), echo(requests)])
  expect(requests.map(({ length }) => length)).toEqual([17, 17, 16])
  for (const body of bodies) expect(Buffer.byteLength(body)).toBeLessThanOrEqual(MIB)
  const order = requests.flat().map((text) => (JSON.parse(text) as { data: [number] }).data[0])
  expect(order).toEqual(events.map((_, i) => i))
  expect(ids).toEqual(requests.flatMap((texts, request) => texts.map((_, i) => `${request + 1}-${i}`)))
})

test('a request has at most 10,000 lines', async () => {
  const events = Array.from({ length: 20_001 }, (_, i) => ({ topic: 'a', data: i, ...KEY }))
  const requests: string[][] = []
  await runPublish(events, [echo(requests), echo(requests), echo(requests)])
  expect(requests.map(({ length }) => length)).toEqual([10_000, 10_000, 1])
})

test('one event that is too large is sent by itself, for the hub to say so', async () => {
  const large = { topic: 'a', data: 'x'.repeat(MIB), ...KEY }
  expect(await runPublish(large, [refused(413, 'Too large.')])).toMatchObject({ error: { status: 413 } })
  const { error, bodies } = await runPublish(
    [{ topic: 'a', data: 1 }, large, { topic: 'a', data: 3 }],
    [echo(), () => new Response('{"error":{"status":413,"detail":"Line 1: Too large."}}\n')],
  )
  // The hub counts the lines of its request, and who publishes counts events.
  expect(error).toMatchObject({
    status: 413,
    published: ['1-0'],
    message: 'The hub has answered with status 413. Event 1: Too large.',
  })
  expect(bodies.map((body) => body.split('\n').length - 1)).toEqual([1, 1])
})

test('a retry of a later request sends what is left, and what was stored before is known when it gives up', async () => {
  const events = Array.from({ length: 30 }, (_, i) => ({ topic: 'a', data: [i, 'x'.repeat(60 * 1024)] }))
  const again = await runPublish(events, [echo(), network, echo()])
  expect(again.bodies[2]).toBe(again.bodies[1])
  expect(again.ids).toHaveLength(30)
  const { error } = await runPublish(events, [echo(), network, network], { maxAttempts: 2 })
  expect(error).toMatchObject({ code: 'network', published: Array.from({ length: 17 }, (_, i) => `1-${i}`) })
})

test('a real hub stores ordinary batches of large events, in order', async () => {
  const hub = await startHubServer({ ...defaultHubSettings, port: 0, log: 'memory:' })
  onTestFinished(() => hub.close())
  for (const count of [20, 200]) {
    const ids = await publish(
      `${hub.url}/events`,
      Array.from({ length: count }, (_, i) => ({ topic: 'a', data: [i, 'x'.repeat(60 * 1024)] })),
    )
    const seqs = ids.map((id) => Number(id?.split('-')[1]))
    expect(seqs).toEqual(seqs.map((_, i) => (seqs[0] ?? 0) + i))
    expect(ids).toHaveLength(count)
  }
})
