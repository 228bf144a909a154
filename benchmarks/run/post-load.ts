import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** What each of several connections sends, one request after the other. */
export interface PostLoad {
  readonly connections: number
  readonly requestsPerConnection: number
  /** The body of a request. */
  readonly body: string
  readonly contentType: string
  /** How often `"id` or its like must be in each answer. */
  readonly idsPerRequest: number
}

/**
 * Posts over connections that are kept, each of which waits for its answer before it sends the next; raw sockets, so that
 * this costs less than what it measures. Resolves with the time from the first byte to the last, in milliseconds.
 */
export async function postAll(port: number, path: string, load: PostLoad): Promise<number> {
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => open(port)))
  const request = Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${load.contentType}\r\nContent-Length: ${Buffer.byteLength(load.body)}\r\n\r\n${load.body}`,
  )
  const startMs = performance.now()
  try {
    await Promise.all(sockets.map((socket) => postOn(socket, request, load)))
    return performance.now() - startMs
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return socket
}

function postOn(socket: Socket, request: Buffer, load: PostLoad): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = load.requestsPerConnection
    let answer = ''
    socket.setEncoding('latin1')
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('The server closed a connection')))
    socket.on('data', (part: string) => {
      answer += part
      if (!isWhole(answer)) return
      const ids = answer.split('"id').length - 1
      if (!answer.startsWith('HTTP/1.1 200') || ids !== load.idsPerRequest) {
        reject(new Error(`${ids} ids instead of ${load.idsPerRequest}: ${answer.slice(0, 500)}`))
        return
      }
      answer = ''
      if (--left === 0) resolve()
      else socket.write(request)
    })
    socket.write(request)
  })
}

function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf('\r\n\r\n')
  if (headEnd === -1) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(answer.slice(0, headEnd + 2))?.[1]
  return length === undefined ? answer.endsWith('\r\n0\r\n\r\n') : answer.length === headEnd + 4 + Number(length)
}
