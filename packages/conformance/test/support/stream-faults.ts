import type { Wire } from '../../src/index.ts'
import type { StreamFaults } from './handmade-streams.ts'

/** A handler with one fault, and the cases that must find it. */
export interface PlantedStreamFault {
  readonly name: string
  /** @default 'http/1.1' */
  readonly wire?: Wire
  readonly faults: StreamFaults
  /** How the names of the cases begin. */
  readonly breaks: readonly string[]
}

export const streamFaults: readonly PlantedStreamFault[] = [
  {
    name: 'a charset in the type',
    faults: { headers: { 'Content-Type': 'text/event-stream; charset=utf-8' } },
    breaks: ['a stream is answered with status 200'],
  },
  {
    name: 'transformation allowed',
    faults: { headers: { 'Cache-Control': 'no-cache' } },
    breaks: ['a stream is answered with status 200'],
  },
  {
    name: 'buffering allowed',
    faults: { headers: { 'X-Accel-Buffering': undefined } },
    breaks: ['a stream is answered with status 200'],
  },
  { name: 'no Vary', faults: { headers: { Vary: 'Accept' } }, breaks: ['the answer varies with Accept and Origin'] },
  { name: 'a head that waits', faults: { keepsHeadBack: true }, breaks: ['the head and the first bytes come before'] },
  { name: 'one retry time for all', faults: { retryMs: 3_000 }, breaks: ['the reconnection time is spread'] },
  { name: 'a retry time too long', faults: { retryMs: 5_000 }, breaks: ['the reconnection time is spread'] },
  {
    name: 'a connection that is closed without need',
    faults: { headers: { Connection: 'close' } },
    breaks: ['a connection of HTTP/1.1 is to be kept'],
  },
  {
    name: 'another framing over HTTP/1.1',
    faults: { headers: { 'Content-Length': '100000000' } },
    breaks: ['it is chunked over HTTP/1.1'],
  },
  {
    name: 'a connection that is kept against the wish of the client',
    faults: { headers: { Connection: 'keep-alive' } },
    breaks: ['a client that asks to close'],
  },
  {
    name: 'a connection of HTTP/1.0 that is said to be kept',
    wire: 'http/1.0',
    faults: { headers: { Connection: 'keep-alive' } },
    breaks: ['it is not framed over HTTP/1.0'],
  },
  {
    name: 'chunks over HTTP/1.0',
    wire: 'http/1.0',
    faults: { headers: { 'Transfer-Encoding': 'chunked' } },
    breaks: ['it is not framed over HTTP/1.0'],
  },
  {
    name: 'a coding of the content',
    faults: { headers: { 'Content-Encoding': 'gzip' } },
    breaks: ['it is not compressed, although'],
  },
  { name: 'a body for HEAD', faults: { answersHeadWithBody: true }, breaks: ['HEAD opens no stream'] },
  {
    name: 'an event that waits for the next',
    faults: { keepsLastEventBack: 'always' },
    breaks: ['an event arrives without'],
  },
  {
    name: 'an event that waits where it could be compressed',
    faults: { keepsLastEventBack: 'from who takes gzip' },
    breaks: ['an event arrives at once although'],
  },
  { name: 'events sent twice', faults: { sendsTwice: true }, breaks: ['every client gets every event once'] },
  {
    name: 'events for the newest only',
    faults: { servesNewestOnly: true },
    breaks: ['every client gets every event once'],
  },
  {
    name: 'events lost when there are many',
    faults: { losesWhatIsPublishedTogether: true },
    breaks: ['events that are published together'],
  },
  { name: 'lines left whole', faults: { leavesLinesUnsplit: true }, breaks: ['data arrives as it was'] },
  { name: 'a past that nobody asked for', faults: { replays: true }, breaks: ['a client that comes later'] },
  {
    name: 'events dropped for the slow',
    faults: { dropsWhenFull: true },
    breaks: ['a slow reader gets everything once'],
  },
  {
    name: 'everybody as slow as the slowest',
    faults: { waitsForTheSlowest: true },
    breaks: ['a slow reader gets everything once'],
  },
  {
    name: 'an end without an end',
    faults: { end: 'destroys' },
    breaks: [
      'the end comes after',
      'a slow reader gets what was accepted',
      'when two streams asked for at once have ended',
    ],
  },
  {
    name: 'a connection that outlives its stream',
    faults: { end: 'keeps the connection' },
    breaks: ['the connection ends with'],
  },
  {
    name: 'bytes after the end',
    faults: { end: 'keeps the connection', writesAfterEnd: true },
    breaks: ['what is published after'],
  },
  {
    name: 'a connection of HTTP/2 that ends with a stream',
    wire: 'http/2',
    faults: { end: 'ends the HTTP/2 connection' },
    breaks: ['over HTTP/2 only the stream ends'],
  },
  {
    name: 'neighbours forgotten',
    wire: 'http/2',
    faults: { forgetsNeighbours: true },
    breaks: ['streams that share a connection of HTTP/2'],
  },
  {
    name: 'neighbours forgotten over HTTP/1.1',
    faults: { forgetsNeighbours: true },
    breaks: [
      'a client that closes its socket is forgotten',
      'a client that resets is forgotten',
      'a client that ends its side of the connection only is forgotten',
    ],
  },
  {
    name: 'clients that are not noticed to leave',
    faults: { forgetsOnlyCompleteRequests: true },
    breaks: [
      'a client that closes its socket while bytes wait',
      'a client that resets while bytes wait',
      'a client that ends its side of the connection only while bytes wait',
      'when many have come and gone',
      'a stream that waits behind another',
    ],
  },
  {
    name: 'clients that leave before anybody listens',
    faults: { comesLate: true },
    breaks: [
      'a client that closes its socket before it is answered',
      'a client that resets before it is answered',
      'a client that ends its side of the connection only before it is answered',
    ],
  },
  {
    name: 'connections taken for streams',
    faults: { countsConnections: true },
    breaks: ['a client that leaves in the middle of its request'],
  },
  {
    name: 'a socket written to out of turn',
    faults: { writesToAnySocket: true },
    breaks: ['a request behind a stream', 'of two streams asked for at once'],
  },
  { name: 'bytes without framing', faults: { writesUnframed: true }, breaks: ['a stream may follow other answers'] },
]
