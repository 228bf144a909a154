import { parseTopic } from '@millrace/protocol'
import { expect, test } from 'vitest'
import { Frame } from '../src/frame.ts'
import { SharedPages } from '../src/shared-pages.ts'
import { FakeTransport } from './support/fake-transport.ts'
import { startScene } from './support/hub-scene.ts'

function frame(seq: number, data = String(seq)): Frame {
  const position = { epoch: 'e', seq, check: 'abc' }
  return new Frame({ topic: parseTopic('a'), data, timeMs: 0, position }, 0)
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

test('whoever is owed the same frames and the same note gets the same payload, and nobody else does', () => {
  const pages = new SharedPages()
  const [one, two, three] = [frame(1), frame(2), frame(3)]
  const page = pages.payload([one, two, three], 0, ': note\n\n')
  expect(pages.payload([one, two, three], 0, ': note\n\n')).toBe(page)
  expect(text(page.bytes)).toBe(
    `${[1, 2, 3].map((n) => `id: e-${n}-abc\ntopic: a\ndata: ${n}\n\n`).join('')}: note\n\n`,
  )
  for (const [frames, variant, note] of [
    [[one, three], 0, ': note\n\n'],
    [[two, one, three], 0, ': note\n\n'],
    [[one, two, three], 1, ': note\n\n'],
    [[one, two, three], 0, ''],
    [[one, two, three], 0, ': other\n\n'],
  ] as const) {
    const parts = frames.map((each) => text(each.bytes(variant)))
    expect(text(pages.payload(frames, variant, note).bytes)).toBe(parts.join('') + note)
  }
})

test('a note alone is a payload', () => {
  expect(text(new SharedPages().payload([], 0, ': note\n\n').bytes)).toBe(': note\n\n')
})

test('pages are bounded in bytes and can be forgotten', () => {
  const pages = new SharedPages()
  const data = 'x'.repeat(60_000)
  for (let seq = 1; seq <= 200; seq++) {
    pages.payload([frame(seq, data)], 0, '')
    expect(pages.heldBytes).toBeLessThanOrEqual(4 * 1024 * 1024)
  }
  expect(pages.heldBytes).toBeGreaterThan(60_000)
  pages.clear()
  expect(pages.heldBytes).toBe(0)
})

test('those who come back with one id are written one and the same payload', async () => {
  const { open, publish } = await startScene()
  const [id] = await publish('a', 0)
  await publish('a', 1, 2, 3)
  const written: unknown[] = []
  class NotingTransport extends FakeTransport {
    override write(payload: Parameters<FakeTransport['write']>[0]): boolean {
      if (text(payload.bytes).includes('stream:caught-up')) written.push(payload)
      return super.write(payload)
    }
  }
  const streams = [await open('a', { lastEventId: id }, new NotingTransport())]
  streams.push(await open('a', { lastEventId: id }, new NotingTransport()))
  expect(written).toHaveLength(2)
  expect(written[1]).toBe(written[0])
  for (const { events } of streams) expect(events().map(({ data }) => data)).toEqual(['1', '2', '3'])
})
