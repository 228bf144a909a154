import { expect, test } from 'vitest'
import {
  firstChoice,
  nextChoice,
  type TransportChoice,
  type TransportVerdict,
} from '../../src/stream/transport-choice.ts'

const RETRY_MS = 60_000

function after(verdicts: readonly TransportVerdict[], from: Partial<TransportChoice> = {}, nowMs = 0): TransportChoice {
  let choice: TransportChoice = { ...firstChoice('stream', RETRY_MS), ...from }
  for (const verdict of verdicts) choice = nextChoice(choice, verdict, nowMs, RETRY_MS)
  return choice
}

test('a stream that is held back is followed by long polls at once', () => {
  expect(after(['held_back'])).toMatchObject({ transport: 'long-polling', streamAtMs: RETRY_MS })
})

test('a stream that fails twice before anything came is followed by long polls; once is the network', () => {
  expect(after(['bad']).transport).toBe('stream')
  expect(after(['bad', 'bad']).transport).toBe('long-polling')
  expect(after(['bad', 'good', 'bad']).transport).toBe('stream')
})

test('refusals say nothing about the transport', () => {
  expect(after(['neutral', 'neutral', 'neutral']).transport).toBe('stream')
})

test('a server that does not answer polls is asked again after a while, and after a longer one each time', () => {
  const choice = after(['held_back', 'no_polling'])
  expect(choice).toMatchObject({ transport: 'stream', pollAtMs: RETRY_MS })
  expect(after(['bad', 'bad', 'bad', 'held_back'], choice, RETRY_MS - 1).transport).toBe('stream')
  const again = after(['held_back'], choice, RETRY_MS)
  expect(again.transport).toBe('long-polling')
  expect(after(['no_polling'], again, RETRY_MS)).toMatchObject({ transport: 'stream', pollAtMs: 3 * RETRY_MS })
  let last = again
  for (let i = 0; i < 20; i++) last = after(['no_polling'], last)
  expect(last).toMatchObject({ pollAtMs: 600_000, pauseMs: 600_000 })
  // Streams that work start it over.
  expect(after(['good'], last)).toMatchObject({ transport: 'stream', pauseMs: RETRY_MS })
})

test('polls that are answered again are as good as ever', () => {
  const choice = after(['good'], after(['held_back'], after(['no_polling']), RETRY_MS), RETRY_MS)
  expect(choice).toMatchObject({ transport: 'long-polling', canPoll: true })
  expect(after(['bad', 'bad'], choice, RETRY_MS).transport).toBe('polling')
})

test('long polls that are cut off are followed by plain ones, where polls have worked', () => {
  expect(after(['held_back', 'good', 'bad', 'bad']).transport).toBe('polling')
  expect(after(['held_back', 'bad', 'bad']).transport).toBe('stream')
})

test('plain polls that fail are followed by a stream: nothing gets through', () => {
  expect(after(['bad', 'bad'], { transport: 'polling', canPoll: true }).transport).toBe('stream')
})

test('a stream is tried again after a while, and after a longer one each time that it fails', () => {
  let choice = after(['held_back'])
  choice = after(['good'], choice, RETRY_MS - 1)
  expect(choice.transport).toBe('long-polling')
  choice = after(['good'], choice, RETRY_MS)
  expect(choice.transport).toBe('stream')
  choice = after(['bad'], choice, RETRY_MS)
  expect(choice).toMatchObject({ transport: 'long-polling', streamAtMs: RETRY_MS + 2 * RETRY_MS })
  expect(after(['good'], choice, 10 * RETRY_MS)).toMatchObject({ transport: 'stream' })
  expect(after(['held_back'], { pauseMs: 600_000 }).pauseMs).toBe(600_000)
})

test('a time in which polls do not get through either is no reason to wait longer before a stream is tried again', () => {
  let choice = after(['held_back', 'bad', 'bad'])
  choice = after(['held_back', 'bad', 'bad', 'held_back'], choice, 10 * RETRY_MS)
  expect(choice).toMatchObject({ transport: 'long-polling', streamAtMs: 11 * RETRY_MS, pauseMs: RETRY_MS })
})

test('a stream that works again is trusted as before', () => {
  const choice = after(['held_back', 'good'], { pauseMs: 240_000 }, 240_000)
  expect(after(['good'], { ...choice, transport: 'stream' })).toMatchObject({ strikes: 0, pauseMs: RETRY_MS })
})

test('after a time without any network a stream is tried again as soon as a poll has come through', () => {
  const back = after(['bad', 'bad', 'good'])
  expect(back).toMatchObject({ transport: 'stream', isProbed: true })
  expect(after(['good'], back)).toMatchObject({ transport: 'stream', isProbed: false, strikes: 0 })
  const blocked = after(['bad'], back)
  expect(blocked).toMatchObject({ transport: 'long-polling', streamAtMs: RETRY_MS })
  expect(after(['good'], blocked, RETRY_MS - 1).transport).toBe('long-polling')
})
