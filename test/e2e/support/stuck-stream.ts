import { connect } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import type { HubProcess } from './hub-process.ts'
import { get } from './raw-http.ts'

/** A stream whose client stopped reading long ago: it holds a hub that ends for as long as its grace, some seconds. */
export async function openStuck(hub: HubProcess): Promise<void> {
  const { port, url } = hub
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => undefined)
  onTestFinished(() => void socket.destroy())
  socket.write(get('/events'))
  socket.pause()
  const body = JSON.stringify(Array(15).fill({ topic: 'a', data: 'x'.repeat(60_000) }))
  const headers = { 'Content-Type': 'application/json' }
  for (let i = 0; i < 15; i++) await fetch(`${url}/events`, { method: 'POST', headers, body })
  await expect
    .poll(async () => (await connections(hub)).map(({ state }) => state), { timeout: 10_000 })
    .toContain('catching-up')
}

/** Its streams, as an operator sees them. */
export async function connections({ url }: HubProcess): Promise<readonly { readonly state: string }[]> {
  const response = await fetch(`${url}/admin/connections`)
  return ((await response.json()) as { connections: { state: string }[] }).connections
}
