import { parseTopic } from '@millrace/protocol'
import { expect, test } from 'vitest'
import { FrameList } from '../src/frame-list.ts'
import { Frame } from '../src/frame.ts'

function frame(seq: number): Frame {
  const position = { epoch: 'e', seq, check: 'abc' }
  return new Frame({ topic: parseTopic('a'), data: `${seq}`, timeMs: 0, position }, 0)
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

test('whoever is owed the same frames shares one list and one payload', () => {
  const [one, two, three] = [frame(1), frame(2), frame(3)]
  const root = FrameList.empty(0)
  const first = root.plus(one).plus(three)
  const other = root.plus(two).plus(three)
  expect(root.plus(one).plus(three)).toBe(first)
  expect(root.plus(two).plus(three)).toBe(other)
  expect(first).not.toBe(other)
  expect(first.payload()).toBe(root.plus(one).plus(three).payload())
})

test('a payload holds the frames in order, as they are and as one HTTP/1.1 chunk', () => {
  const list = FrameList.empty(0).plus(frame(1)).plus(frame(2))
  const { bytes, chunk } = list.payload()
  const plain = 'id: e-1-abc\ntopic: a\ndata: 1\n\nid: e-2-abc\ntopic: a\ndata: 2\n\n'
  expect(text(bytes)).toBe(plain)
  expect(text(chunk)).toBe(`${plain.length.toString(16)}\r\n${plain}\r\n`)
  expect(list.byteLength).toBe(plain.length)
  expect(bytes.buffer).toBe(chunk.buffer)
})

test('a frame is encoded once for each look', () => {
  const one = frame(7)
  expect(one.bytes(0)).toBe(one.bytes(0))
  expect(text(one.bytes(1))).toBe('id: e-7-abc\nevent: a\ntopic: a\ndata: 7\n\n')
  expect(text(one.bytes(3))).toContain(
    'data: {"id":"e-7-abc","topic":"a","type":"message","time":"1970-01-01T00:00:00.000Z","data":"7"}\n',
  )
})
