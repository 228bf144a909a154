import { Http1Client } from '@millrace/conformance'
import type { TransportOwner } from '@millrace/server'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished, vi } from 'vitest'

/** Listens until the test is over, and returns the port. */
export async function listen(server: Server): Promise<number> {
  // Who waits for a connection to end must not be helped by a server that has seen no request for a while.
  server.keepAliveTimeout = 600_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

/** A client of HTTP/1 that is gone when the test is over. */
export function connect(port: number): Http1Client {
  const client = new Http1Client(port)
  onTestFinished(() => client.leave('close'))
  return client
}

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly client: Http1Client
}

export interface OwnExchange extends Exchange {
  readonly server: Server
}

/** Sends a request to a server of its own, and returns both ends of it. */
export async function exchange(
  asked: Parameters<Http1Client['request']>[0] = { path: '/' },
  body = '',
): Promise<OwnExchange> {
  const { promise, resolve } = Promise.withResolvers<Pick<Exchange, 'request' | 'response'>>()
  const server = createServer((request, response) => resolve({ request, response }))
  const client = connect(await listen(server))
  client.request(asked)
  if (body) client.send(body)
  return { ...(await promise), client, server }
}

/** Waits for what happens elsewhere. */
export function until(holds: () => void): Promise<void> {
  return vi.waitFor(holds, { interval: 5, timeout: 10_000 })
}

/** An owner that counts what it is told, and finds calls from within a call. */
export class RecordingOwner implements TransportOwner {
  drainCount = 0
  closeCount = 0
  /** Set while a method of the transport runs. */
  isCalling = false
  wasCalledFromWithin = false

  onDrain(): void {
    this.drainCount++
    this.wasCalledFromWithin ||= this.isCalling
  }

  onClose(): void {
    this.closeCount++
    this.wasCalledFromWithin ||= this.isCalling
  }

  call<T>(method: () => T): T {
    this.isCalling = true
    try {
      return method()
    } finally {
      this.isCalling = false
    }
  }
}

/** Lets everything that is due now happen. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
}
