import { connect } from 'node:net'

/** What came over a connection, byte for byte, and how it ended. */
export interface RawAnswer {
  readonly text: string
  readonly bytes: Buffer
  readonly end: 'fin' | 'rst'
  /** The size of each piece that the system handed over, and when. */
  readonly arrivals: readonly { readonly byteLength: number; readonly atMs: number }[]
}

/** Asks by hand and reads until the connection is over. */
export function askRaw(
  origin: string,
  headers: readonly string[] = [],
  requestLine = 'GET / HTTP/1.1',
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const arrivals: { byteLength: number; atMs: number }[] = []
    let end: 'fin' | 'rst' = 'fin'
    const socket = connect({ port: Number(new URL(origin).port), host: '127.0.0.1', noDelay: true })
    socket.write([requestLine, 'Host: localhost', ...headers, '', ''].join('\r\n'))
    socket.on('data', (bytes) => {
      chunks.push(bytes)
      arrivals.push({ byteLength: bytes.length, atMs: performance.now() })
    })
    socket.on('error', () => {
      end = 'rst'
    })
    socket.on('close', () => {
      const bytes = Buffer.concat(chunks)
      resolve({ text: bytes.toString('utf8'), bytes, end, arrivals })
    })
  })
}

/** What follows the head of an answer. */
export function bodyOf({ text }: RawAnswer): string {
  return text.slice(text.indexOf('\r\n\r\n') + 4)
}
