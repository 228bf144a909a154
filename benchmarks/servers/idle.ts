// Streams on which nothing happens, in three layers, to see what each of them holds.
import { createHub, openTransport } from '@millrace/node'
import { memory } from '@millrace/server'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { answer, measureMemory, type MemoryUse } from './answers.ts'
import { listen } from './listen.ts'

/**
 * - `http`: a response of `node:http` that is held open; its handler keeps nothing.
 * - `transport`: the same with our transport on it and nobody who owns it.
 * - `hub`: a stream of a hub.
 */
export type IdleLayer = 'http' | 'transport' | 'hub'

export interface IdleSettings {
  readonly clients: number
  readonly layer: IdleLayer
}

export interface IdleMemory {
  readonly before: MemoryUse
  readonly after: MemoryUse
}

/** The referee measures one second after the last connect; our collection of garbage must not help it. */
const SETTLE_MS = 3_000

const { clients, layer } = JSON.parse(process.argv[2] ?? '') as IdleSettings
const before = measureMemory()
let open = 0
let onAllOpen: (() => void) | undefined
const allOpen = new Promise<void>((resolve) => (onAllOpen = resolve))
const serve = listenerOf(layer)
listen((request, response) => {
  open++
  if (open === clients) onAllOpen?.()
  serve(request, response)
})
const result = run()
answer({ result: () => result })

async function run(): Promise<IdleMemory> {
  await allOpen
  await delay(SETTLE_MS)
  return { before, after: measureMemory() }
}

function listenerOf(which: IdleLayer): RequestListener {
  if (which === 'http') return holdOpen
  if (which === 'hub') {
    const handle = createHub({ backend: memory() }).handler()
    return (request, response) => void handle(request, response)
  }
  const transports = new Set<object>()
  const owner = { onDrain: () => undefined, onClose: () => undefined }
  const hello = new TextEncoder().encode(': ok\n\n')
  const chunk = new TextEncoder().encode('6\r\n: ok\n\n\r\n')
  return (request, response) => {
    const transport = openTransport(request, response)
    transports.add(transport)
    transport.attach(owner)
    transport.write({ bytes: hello, chunk })
  }
}

function holdOpen(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' })
  response.write(': ok\n\n')
}
