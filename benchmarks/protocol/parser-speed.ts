// How fast the parser reads bytes, beside the npm package eventsource-parser behind a streaming TextDecoder.
// node --conditions=@millrace/source benchmarks/protocol/parser-speed.ts [part of a workload's name]
import { EventStreamParser } from '@millrace/protocol'
import { createParser } from 'eventsource-parser'

type Contender = 'millrace' | 'eventsource-parser'

const roundCount = 15
const warmUpCount = 3
/** What one round reads, at least. Bytes. */
const roundBytes = 10_000_000

const price = (i: number): string => `{"symbol":"AAPL","price":${100 + (i % 50)}.25}`
const token = (i: number): string => `data: {"id":"chatcmpl-1","delta":{"content":" word${i}"}}\n\n`
const full = (i: number): string => `id: k3f9z2-${i}-x7q\nevent: tick\ntopic: stocks.AAPL\ndata: ${price(i)}\n\n`
const tokens = repeat(20_000, token)

const workloads: Readonly<Record<string, readonly Uint8Array[]>> = {
  'tokens, 16 KiB chunks': chunks(tokens, () => 16_384),
  'tokens, one event a chunk': Array.from({ length: 5000 }, (_, i) => new TextEncoder().encode(token(i))),
  'tokens, 1 to 24 bytes a chunk': chunks(repeat(1500, token), seededSizes(24)),
  'id, event, topic, data; 16 KiB chunks': chunks(repeat(10_000, full), () => 16_384),
  'id, event, topic, data; one event a chunk': Array.from({ length: 5000 }, (_, i) =>
    new TextEncoder().encode(full(i)),
  ),
  'four lines of data, 16 KiB chunks': chunks(
    repeat(10_000, (i) => `data: {\ndata:   "symbol": "AAPL",\ndata:   "price": ${i}\ndata: }\n\n`),
    () => 16_384,
  ),
  'CRLF, 16 KiB chunks': chunks(
    repeat(10_000, (i) => full(i).replaceAll('\n', '\r\n')),
    () => 16_384,
  ),
  'Chinese, 16 KiB chunks': chunks(
    repeat(10_000, (i) => `data: {"text":"服务器发送事件是单向的流${i}"}\n\n`),
    () => 16_384,
  ),
  'one line of 2 MiB, 16 KiB chunks': chunks(`data: ${'x'.repeat(2 ** 21)}\n\n`, () => 16_384),
  'one line of 256 KiB, 8 bytes a chunk': chunks(`data: ${'x'.repeat(2 ** 18)}\n\n`, () => 8),
  'heartbeats, each in a chunk': chunks(':\n\n'.repeat(2000), () => 3),
}

let characterCount = 0

const contenders: Readonly<Record<Contender, (chunks: readonly Uint8Array[]) => void>> = {
  millrace(bytes) {
    const parser = new EventStreamParser({ onEvent: ({ data }) => void (characterCount += data.length) })
    for (const chunk of bytes) parser.push(chunk)
  },
  'eventsource-parser'(bytes) {
    const decoder = new TextDecoder()
    const parser = createParser({ onEvent: ({ data }) => void (characterCount += data.length) })
    for (const chunk of bytes) parser.feed(decoder.decode(chunk, { stream: true }))
  },
}

console.log(`MB/s, best of ${roundCount} rounds in turn`.padEnd(46), 'millrace', 'eventsource-parser', 'ratio')
for (const [name, bytes] of Object.entries(workloads)) {
  if (!name.includes(process.argv[2] ?? '')) continue
  const best = compare(bytes)
  const ratio = best.millrace / best['eventsource-parser']
  console.log(
    name.padEnd(46),
    best.millrace.toFixed(0).padStart(8),
    best['eventsource-parser'].toFixed(0).padStart(18),
    ratio.toFixed(2).padStart(5),
  )
}
if (characterCount === 0) throw new Error('nothing was parsed')

function compare(bytes: readonly Uint8Array[]): Record<Contender, number> {
  let size = 0
  for (const chunk of bytes) size += chunk.length
  const repeats = Math.ceil(roundBytes / size)
  const best = { millrace: 0, 'eventsource-parser': 0 }
  for (let round = -warmUpCount; round < roundCount; round++) {
    for (const name of ['millrace', 'eventsource-parser'] as const) {
      const startedMs = performance.now()
      for (let i = 0; i < repeats; i++) contenders[name](bytes)
      const megabytesPerSecond = (size * repeats) / (performance.now() - startedMs) / 1000
      if (round >= 0) best[name] = Math.max(best[name], megabytesPerSecond)
    }
  }
  return best
}

function repeat(count: number, text: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => text(i)).join('')
}

function chunks(text: string, nextSize: () => number): Uint8Array[] {
  const bytes = new TextEncoder().encode(text)
  const parts: Uint8Array[] = []
  for (let at = 0; at < bytes.length;) {
    const size = nextSize()
    parts.push(bytes.slice(at, at + size))
    at += size
  }
  return parts
}

function seededSizes(maxSize: number): () => number {
  let state = 1
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return 1 + (state % maxSize)
  }
}
