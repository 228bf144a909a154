import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { EventStreamParser } from '@millrace/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { utf8 } from './support/chunks.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

describe('[MR-PARSE-17] work is linear in the bytes', () => {
  const lineBytes = 64 * 1024
  const line = utf8(`data: ${'x'.repeat(lineBytes)}\n\n`)

  test.each([1, 8, 24, 100, 1500, 16_384])('for one long line in chunks of %i bytes', (chunkBytes) => {
    const work = countWork()
    const lengths: number[] = []
    const parser = new EventStreamParser({ onEvent: ({ data }) => lengths.push(data.length) })
    for (let at = 0; at < line.length; at += chunkBytes) parser.push(work.watch(line.subarray(at, at + chunkBytes)))
    expect(lengths).toEqual([lineBytes])
    // Each byte is looked at, copied into the line, joined and decoded. To look at it takes up to two reads.
    expect(work.bytesRead()).toBeLessThan(4 * line.length)
    expect(work.bytesCopied()).toBeLessThan(3 * line.length)
    expect(work.bytesDecoded()).toBeLessThan(3 * line.length)
  })

  test.each([40, 1000, 2100, 3100, 9000])('for one long chunk of lines of %i bytes', (bytes) => {
    const chunk = utf8(`data: ${'x'.repeat(bytes)}\n\n`.repeat(Math.ceil(lineBytes / bytes)))
    const work = countWork()
    let events = 0
    new EventStreamParser({ onEvent: () => events++ }).push(work.watch(chunk))
    expect(events).toBe(Math.ceil(lineBytes / bytes))
    // A line end is looked for from the end of what is decoded at once, then from the start of the line.
    expect(work.bytesRead()).toBeLessThan(5 * chunk.length)
    expect(work.bytesDecoded()).toBeLessThan(4 * chunk.length)
  })
})

describe('[MR-PARSE-17] a short value keeps no long chunk alive', () => {
  const chunkCount = 1500
  const chunkBytes = 16_384

  test('when it is handed out', () => {
    const kept: string[] = []
    const parser = new EventStreamParser({ onEvent: ({ data }) => kept.push(data) })
    const used = heapUsedBy(() => {
      for (let i = 0; i < chunkCount; i++) parser.push(chunkOf(`data: value number ${String(i).padStart(8)}\n\n`))
      return kept
    })
    expect(kept).toHaveLength(chunkCount)
    // The text that is decoded at once has 2 KiB.
    expect(used / chunkCount).toBeLessThan(3 * 1024)
  })

  test('when it is part of an event that is not finished', () => {
    const kept: string[] = []
    const parser = new EventStreamParser({ onEvent: ({ data }) => kept.push(data) })
    const used = heapUsedBy(() => {
      for (let i = 0; i < chunkCount; i++) parser.push(chunkOf(`data: value number ${String(i).padStart(8)}\n`))
      return parser
    })
    expect(used / chunkCount).toBeLessThan(300)
    parser.push(utf8('\n'))
    expect(kept[0]).toHaveLength(chunkCount * 22 - 1)
  })

  test('and a long line leaves no long buffer behind', () => {
    const parsers = Array.from({ length: 8 }, () => new EventStreamParser({ onEvent: () => {} }))
    const long = utf8('x'.repeat(1024 * 1024))
    const held = bytesHeldAfter(() => {
      for (const parser of parsers) {
        parser.push(long)
        parser.push(utf8('\n'))
      }
    })
    expect(held / parsers.length).toBeLessThan(long.length / 16)
    const heldUnfinished = bytesHeldAfter(() => {
      for (const parser of parsers) parser.push(long)
    })
    expect(heldUnfinished / parsers.length).toBeGreaterThan(0.9 * long.length)
    const heldAfterReset = bytesHeldAfter(() => {
      for (const parser of parsers) parser.reset()
    })
    expect(heldAfterReset / parsers.length).toBeLessThan(-0.9 * long.length)
  })

  test('and the measurement finds it when it does', () => {
    const kept: string[] = []
    const decoder = new TextDecoder()
    const used = heapUsedBy(() => {
      for (let i = 0; i < chunkCount; i++)
        kept.push(decoder.decode(chunkOf(`value number ${String(i).padStart(8)}`)).slice(-30))
      return kept
    })
    expect(used / chunkCount).toBeGreaterThan(0.9 * chunkBytes)
  })

  /** A chunk of comments that ends with the text. */
  function chunkOf(text: string): Uint8Array {
    return utf8(`:${'c'.repeat(98)}\n`.repeat(Math.floor((chunkBytes - text.length) / 100)) + text)
  }
})

interface Work {
  /** The chunk, with each look at a byte of it counted. */
  watch(chunk: Uint8Array): Uint8Array
  bytesRead(): number
  bytesCopied(): number
  bytesDecoded(): number
}

function countWork(): Work {
  let read = 0
  const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array
  const set = vi.spyOn(typedArray, 'set')
  const slice = vi.spyOn(typedArray, 'slice')
  const watched = new WeakMap<object, Uint8Array>()
  // oxlint-disable-next-line typescript/unbound-method -- called with its decoder below
  const realDecode = TextDecoder.prototype.decode
  const decode = vi.spyOn(TextDecoder.prototype, 'decode').mockImplementation(function (this: TextDecoder, ...args) {
    const [source, ...options] = args
    return realDecode.call(this, watched.get(source as object) ?? source, ...options)
  })
  return {
    watch(chunk) {
      const proxy = new Proxy(chunk, {
        get(target, key) {
          if (typeof key === 'string' && /^\d/.test(key)) read++
          const member: unknown = Reflect.get(target, key, target)
          return typeof member === 'function' ? member.bind(target) : member
        },
      })
      watched.set(proxy, chunk)
      return proxy
    },
    bytesRead: () => read,
    bytesCopied: () =>
      sum(set.mock.calls.map(([source]) => source.length)) +
      sum(slice.mock.results.map((result) => (result.value as Uint8Array).length)),
    bytesDecoded: () => sum(decode.mock.calls.map(([source]) => (source as Uint8Array).length)),
  }
}

function sum(numbers: readonly number[]): number {
  let total = 0
  for (const number of numbers) total += number
  return total
}

/** How much more the heap holds while the result is alive. Bytes. */
function heapUsedBy(work: () => unknown): number {
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  const result = work()
  collectGarbage()
  const after = process.memoryUsage().heapUsed
  expect(result).toBeDefined()
  return after - before
}

/** How much more is held, by buffers too, than before. Bytes. */
function bytesHeldAfter(work: () => void): number {
  collectGarbage()
  const before = heldBytes()
  work()
  collectGarbage()
  return heldBytes() - before
}

function heldBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  // Buffers are freed beside the program; a further collection waits for those of the one before.
  collect()
  collect()
}
