/** `POST /events`, one event a line, when a bound of keys is reached: what is stored does not depend on how bytes arrive. */
import { createHub, memory } from '@millrace/node'
import fc from 'fast-check'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { publishLines } from '../src/http/publish-lines.ts'
import { HubCounts } from '../src/observe/hub-counts.ts'

interface Answer {
  readonly id?: string
  readonly error?: { readonly status: number; readonly line: number; readonly detail: string }
}

const plain = (topic: string): string => JSON.stringify({ topic, data: 1 })
const value = (key: string): string => JSON.stringify({ topic: 's.a', key, data: 1 })
const keyed = (dedupeKey: string): string => JSON.stringify({ topic: 'x', data: 1, dedupeKey })

/** Publishes a body that arrives in these parts; what is answered, and how many events are stored. */
async function publish(parts: readonly Buffer[]): Promise<{ answers: Answer[]; stored: number }> {
  const backend = memory({ topics: [{ match: 's.>', kind: 'state' }], maxStateKeys: 2, maxDedupeKeys: 2 })
  const hub = createHub({ backend })
  await hub.ready()
  // In object mode a read gives one part, as it is.
  const request = Object.assign(Readable.from(parts, { highWaterMark: 1 }), { socket: {}, complete: true })
  const response = Object.assign(new PassThrough(), { writeHead: () => undefined })
  const options = {
    onError: failAt,
    counts: new HubCounts(),
    lineTimeoutMs: 10_000,
    closing: new AbortController().signal,
    paced: new WeakSet(),
  }
  const text = response.setEncoding('utf8').toArray()
  await publishLines(hub, request as unknown as IncomingMessage, response as unknown as ServerResponse, options)
  const answers = (await text)
    .join('')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer)
  const stored = (await backend.log.bounds()).head.seq
  await hub.close({ drainMs: 0 })
  return { answers, stored }
}

function failAt(error: unknown): never {
  throw error
}

/** A body in parts, cut at these bytes. */
function cut(body: Buffer, at: readonly number[]): Buffer[] {
  const ends = [...new Set(at.map((byte) => byte % body.length))].toSorted((a, b) => a - b)
  return [...ends, body.length].map((end, i) => body.subarray(ends[i - 1] ?? 0, end)).filter(({ length }) => length > 0)
}

test.each([
  ['state keys', [plain('x.1'), value('1'), value('2'), value('3'), plain('x.2')], 'maxStateKeys is 2'],
  ['dedupe keys', [plain('x.1'), keyed('1'), keyed('2'), keyed('1'), keyed('3')], 'maxDedupeKeys is 2'],
])(
  'beyond the bound of %s the line that is too much is named, and what came before it is stored',
  async (_, lines, words) => {
    const body = Buffer.from(`${lines.join('\n')}\n`)
    const failing = lines.findIndex((line) => line === value('3') || line === keyed('3'))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 8 }), async (at) => {
        const { answers, stored } = await publish(cut(body, at))
        expect(answers.slice(0, -1)).toEqual(Array.from({ length: failing }, () => ({ id: expect.any(String) })))
        expect(answers.at(-1)?.error).toMatchObject({ status: 429, line: failing + 1 })
        expect(answers.at(-1)?.error?.detail).toMatch(`Line ${failing + 1}: `)
        expect(answers.at(-1)?.error?.detail).toContain(words)
        // Of the four dedupe lines that pass, one is a repetition.
        expect(stored).toBe(3)
      }),
      { seed: 4, numRuns: 60, examples: [[[]]] },
    )
  },
)

test('a line that comes byte by byte, and never ends, is waited for as long as one of which nothing comes', async () => {
  const hub = createHub({ backend: memory() })
  await hub.ready()
  const body = new PassThrough()
  const response = Object.assign(new PassThrough(), { writeHead: () => undefined })
  const request = Object.assign(body, { socket: {}, complete: true })
  let sent = 0
  const dripping = setInterval(() => void body.write(sent++ % 20 === 0 && sent < 50 ? '\n' : ' '), 10)
  const options = {
    onError: failAt,
    counts: new HubCounts(),
    lineTimeoutMs: 500,
    closing: new AbortController().signal,
    paced: new WeakSet(),
  }
  await publishLines(hub, request as unknown as IncomingMessage, response as unknown as ServerResponse, options)
  clearInterval(dripping)
  const answer = (await response.setEncoding('utf8').toArray()).join('')
  expect(JSON.parse(answer)).toMatchObject({
    error: { status: 408, detail: expect.stringContaining('No line has come') },
  })
  await hub.close({ drainMs: 0 })
})
