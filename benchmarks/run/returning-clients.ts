import { connect } from 'node:net'

/** A client that comes back: what it asks for. */
export interface ReturningClient {
  readonly path: string
}

export interface Returned {
  /** From the first connect until the last client was told that it has caught up. */
  readonly caughtUpMs: number
  /** Events that they were sent until then. */
  readonly events: number
  readonly bytes: number
}

const CAUGHT_UP = Buffer.from('event: stream:caught-up')
const EVENT = Buffer.from('"t":')

/** Lets clients come back, all at once, and leave when each has caught up. */
export async function returnAll(
  port: number,
  clients: readonly ReturningClient[],
  timeoutMs: number,
): Promise<Returned> {
  const startMs = performance.now()
  const all = await Promise.all(clients.map((client) => returnOne(port, client, timeoutMs)))
  return {
    caughtUpMs: performance.now() - startMs,
    events: all.reduce((sum, { events }) => sum + events, 0),
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

function returnOne(
  port: number,
  { path }: ReturningClient,
  timeoutMs: number,
): Promise<{ events: number; bytes: number }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const cancel = setTimeout(() => fail(new Error(`${path} has not caught up within ${timeoutMs} ms`)), timeoutMs)
    let events = 0
    let bytes = 0
    // What may be the beginning of what is looked for.
    let rest: Buffer = Buffer.alloc(0)
    const fail = (error: Error): void => {
      clearTimeout(cancel)
      socket.destroy()
      reject(error)
    }
    socket.once('error', fail)
    socket.once('close', () => fail(new Error(`${path} was closed before it had caught up`)))
    socket.once('connect', () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`)
    })
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength
      const seen = Buffer.concat([rest, chunk])
      events += countOf(seen, EVENT)
      if (seen.includes(CAUGHT_UP)) {
        clearTimeout(cancel)
        socket.removeAllListeners('close')
        socket.destroy()
        resolve({ events, bytes })
        return
      }
      rest = tailOf(seen)
    })
  })
}

function countOf(bytes: Buffer, what: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(what); at !== -1; at = bytes.indexOf(what, at + what.byteLength)) count++
  return count
}

/** The end, as much of it as may begin something; a whole `"t":` in it would be counted twice. */
function tailOf(bytes: Buffer): Buffer {
  const tail = bytes.subarray(Math.max(0, bytes.byteLength - CAUGHT_UP.byteLength + 1))
  const counted = tail.lastIndexOf(EVENT)
  return Buffer.from(counted === -1 ? tail : tail.subarray(counted + EVENT.byteLength))
}
