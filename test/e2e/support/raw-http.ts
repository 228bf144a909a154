import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** One response as it came over the connection. */
export interface RawAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  /** Of a stream: what came until the exchange was over, chunk framing taken off. */
  readonly body: string
  /** False when the connection ended, or the test's patience, before the body did. */
  readonly isWhole: boolean
}

export interface ExchangeOptions {
  /** How many responses to wait for. @default 1 */
  readonly answers?: number
  /** Milliseconds. @default 5000 */
  readonly patienceMs?: number
  /** Pause between two parts. Milliseconds. @default 0 */
  readonly betweenMs?: number
  /** The second part is sent when this came. */
  readonly secondAfter?: string
  /** The exchange is over when this came, as when a stream has said enough. */
  readonly until?: string
}

/** What came back over a connection. */
export interface Exchange {
  readonly answers: readonly RawAnswer[]
  /** Whether the server ended the connection. */
  readonly isEnded: boolean
}

/**
 * Sends bytes that no well-behaved client would send, and reads what comes back: until the answers are whole, the
 * server ends the connection, or patience is over.
 */
export async function exchange(
  port: number,
  parts: readonly (string | Uint8Array)[],
  options: ExchangeOptions = {},
): Promise<Exchange> {
  const { answers: wanted = 1, patienceMs = 5_000, betweenMs = 0, secondAfter, until } = options
  const socket = connect({ port, host: '127.0.0.1' })
  const received: Buffer[] = []
  let isEnded = false
  const isOver = (): boolean => {
    const text = Buffer.concat(received).toString('latin1')
    if (until !== undefined) return text.includes(until)
    const answers = parseAnswers(text, isEnded)
    return answers.length >= wanted && answers.every(({ isWhole }) => isWhole)
  }
  const over = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, patienceMs)
    const finish = (): void => {
      clearTimeout(timer)
      resolve()
    }
    socket.on('data', (bytes) => {
      received.push(bytes)
      if (isOver()) finish()
    })
    socket.on('close', () => {
      isEnded = true
      finish()
    })
    socket.on('error', () => undefined)
  })
  if (secondAfter !== undefined) {
    socket.write(parts[0] ?? '')
    while (!socket.closed && !Buffer.concat(received).includes(secondAfter)) await pause(5)
  }
  await send(socket, secondAfter === undefined ? parts : parts.slice(1), betweenMs)
  await over
  socket.destroy()
  return { answers: parseAnswers(Buffer.concat(received).toString('latin1'), isEnded), isEnded }
}

/** Sends a request and returns its answer. */
export async function ask(port: number, ...parts: readonly (string | Uint8Array)[]): Promise<RawAnswer> {
  const { answers } = await exchange(port, parts)
  const [answer] = answers
  if (!answer) throw new Error('The server closed the connection without a word')
  return answer
}

/** A request with a body of the length that it says. */
export function post(path: string, body: string | Uint8Array, headers = 'Content-Type: application/json\r\n'): Buffer {
  const bytes = Buffer.from(body)
  return Buffer.concat([
    Buffer.from(`POST ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}Content-Length: ${bytes.length}\r\n\r\n`),
    bytes,
  ])
}

export function get(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`
}

async function send(socket: Socket, parts: readonly (string | Uint8Array)[], betweenMs: number): Promise<void> {
  for (const part of parts) {
    if (socket.destroyed) return
    socket.write(part)
    if (betweenMs > 0) await pause(betweenMs)
  }
}

/** Reads the responses of a connection (RFC 9112, 6). Text is Latin-1: one character for each byte. */
function parseAnswers(text: string, isEnded: boolean): RawAnswer[] {
  const answers: RawAnswer[] = []
  let rest = text
  while (rest !== '') {
    const headEnd = rest.indexOf('\r\n\r\n')
    const match = /^HTTP\/1\.[01] (\d{3}) ?([^\r\n]*)\r\n/.exec(rest)
    if (headEnd === -1 || !match) {
      if (!rest.startsWith('HTTP/1.'.slice(0, rest.length)))
        throw new Error(`This is no response: ${rest.slice(0, 200)}`)
      break
    }
    const status = Number(match[1])
    const headers = readHeaders(rest.slice(match[0].length, headEnd))
    const { body, bytes, isWhole } = readBody(rest.slice(headEnd + 4), status, headers, isEnded)
    rest = rest.slice(headEnd + 4 + bytes)
    // 100 Continue is no answer yet.
    if (status >= 200) answers.push({ status, headers, body: Buffer.from(body, 'latin1').toString(), isWhole })
    if (!isWhole) break
  }
  return answers
}

function readHeaders(text: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  return headers
}

interface RawBody {
  readonly body: string
  /** How much of the text it took. */
  readonly bytes: number
  readonly isWhole: boolean
}

function readBody(text: string, status: number, headers: ReadonlyMap<string, string>, isEnded: boolean): RawBody {
  if (status < 200 || status === 204 || status === 304) return { body: '', bytes: 0, isWhole: true }
  if (headers.get('transfer-encoding') === 'chunked') return readChunks(text)
  const length = headers.get('content-length')
  if (length === undefined) return { body: text, bytes: text.length, isWhole: isEnded }
  const body = text.slice(0, Number(length))
  return { body, bytes: body.length, isWhole: body.length === Number(length) }
}

function readChunks(text: string): RawBody {
  let body = ''
  let at = 0
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at)
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    if (lineEnd === -1 || Number.isNaN(size) || text.length < lineEnd + 2 + size + 2) {
      return { body: body + (lineEnd === -1 ? '' : text.slice(lineEnd + 2)), bytes: text.length, isWhole: false }
    }
    body += text.slice(lineEnd + 2, lineEnd + 2 + size)
    at = lineEnd + 2 + size + 2
    if (size === 0) return { body, bytes: at, isWhole: true }
  }
}
