import { parseTopic } from '@millrace/protocol'
import { expect, test } from 'vitest'
import { batchFrames, type FrameBatch } from '../src/frame-batch.ts'
import { FrameList } from '../src/frame-list.ts'
import { Frame, WireFrame } from '../src/frame.ts'

function frame(seq: number, topic = 'a', type?: string): Frame {
  const position = { epoch: 'e', seq, check: 'abc' }
  return new Frame({ topic: parseTopic(topic), ...(type ? { type } : {}), data: `${seq}`, timeMs: 0, position }, 0)
}

function batchOf(...frames: readonly Frame[]): FrameBatch {
  const [batch] = batchFrames(frames)
  if (!batch) throw new Error('no frame, no batch')
  return batch
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

test('frames of a pass are sorted into batches by topic and type, in the order of their first frames', () => {
  const frames = [frame(1, 'b'), frame(2, 'a'), frame(3, 'b', 'tick'), frame(4, 'b'), frame(5, 'a', 'message')]
  const batches = batchFrames(frames).map((batch) => batch.frames.map(({ seq }) => seq))
  expect(batches).toEqual([[1, 4], [2, 5], [3]])
})

test('whoever is owed the same frames shares one list and one payload', () => {
  const [one, two, three] = [batchOf(frame(1)), batchOf(frame(2)), batchOf(frame(3))]
  const root = FrameList.empty(0)
  const first = root.plus(one).plus(three)
  const other = root.plus(two).plus(three)
  expect(root.plus(one).plus(three)).toBe(first)
  expect(root.plus(two).plus(three)).toBe(other)
  expect(root.plus(three)).toBe(root.plus(three))
  expect(root.plus(one).plus(three)).toBe(first)
  expect(first).not.toBe(other)
  expect(first.payload()).toBe(root.plus(one).plus(three).payload())
})

test('a payload holds the frames in order, as they are and as one HTTP/1.1 chunk', () => {
  const list = FrameList.empty(0).plus(batchOf(frame(1), frame(2)))
  const { bytes, chunk } = list.payload()
  const plain = 'id: e-1-abc\ntopic: a\ndata: 1\n\nid: e-2-abc\ntopic: a\ndata: 2\n\n'
  expect(text(bytes)).toBe(plain)
  expect(text(chunk)).toBe(`${plain.length.toString(16)}\r\n${plain}\r\n`)
  expect(list.byteLength).toBe(plain.length)
  expect(bytes.buffer).toBe(chunk.buffer)
})

test('frames of several batches leave in the order of the log, whichever batch was added first', () => {
  const [a, b] = [batchOf(frame(2), frame(5)), batchOf(frame(1, 'b'), frame(3, 'b'))]
  for (const list of [FrameList.empty(0).plus(a).plus(b), FrameList.empty(0).plus(b).plus(a)]) {
    expect(text(list.payload().bytes).match(/^id: e-\d/gm)).toEqual(['id: e-1', 'id: e-2', 'id: e-3', 'id: e-5'])
    expect([list.length, list.last?.seq, list.byteLength]).toEqual([4, 5, list.payload().bytes.byteLength])
  }
})

test('a frame is encoded once for each look', () => {
  const one = frame(7)
  expect(one.bytes(0)).toBe(one.bytes(0))
  expect(text(one.bytes(1))).toBe('id: e-7-abc\nevent: a\ntopic: a\ndata: 7\n\n')
  expect(text(one.bytes(3))).toContain(
    'data: {"id":"e-7-abc","topic":"a","type":"message","time":"1970-01-01T00:00:00.000Z","data":"7"}\n',
  )
})

test('what is left for a client that some frames are kept from has the id of the newest that has one', () => {
  const position = { epoch: 'e', seq: 2, check: 'abc' }
  const content = { topic: parseTopic('a'), data: 'x', timeMs: 0, except: 'ann' }
  const kept = batchOf(frame(1), new Frame({ ...content, position }, 0))
  const [passing] = batchFrames([new WireFrame({ ...content, except: 'bob' }, undefined, 1_000)], true)
  if (!passing) throw new Error('no frame, no batch')
  const list = FrameList.empty(0).plus(kept).plus(passing)
  expect(list.last?.seq).toBe(2)
  expect(list.forClient('ann')?.length).toBe(2)
  expect(list.forClient('ann')?.last?.seq).toBe(1)
})
