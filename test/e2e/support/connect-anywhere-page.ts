// `connect` in a page, and the same script in a worker and in a service worker: what a test reads is what it has noted.
import { connect, type ClientError, type StreamOptions, type StreamStatus } from '@millrace/client'

const seen: number[] = []
const statuses: StreamStatus[] = []
const errors: { readonly code: string; readonly message: string }[] = []
const shows: boolean[] = []

function listen(url: string, options: StreamOptions = {}): void {
  const stream = connect<{ message: { n: number }; tick: { n: number } }>(url, {
    topics: ['a'],
    minDelayMs: 20,
    maxBackoffMs: 200,
    onError: ({ code, message }: ClientError) => void errors.push({ code, message }),
    onState: (status) => void statuses.push(status),
    ...options,
  })
  stream.on('*', ({ data }) => void seen.push(data.n))
}

/** Waits for as long as the world lasts, unless somebody hurries it. */
function listenPatiently(url: string): void {
  listen(url, { retryPolicy: () => ({ delayMs: 600_000, soonestMs: 100 }) })
}

function listenInWorker(url: string): void {
  const source = document.querySelector('script[type=module]')?.textContent ?? ''
  const script = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
  const worker = new Worker(script, { type: 'module' })
  worker.addEventListener('message', ({ data }: MessageEvent<number[]>) => void seen.splice(0, Infinity, ...data))
  worker.addEventListener('error', ({ message }) => void errors.push({ code: 'worker', message }))
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window
  worker.postMessage(new URL(url, location.href).href)
}

async function listenInServiceWorker(url: string): Promise<void> {
  const registration = await navigator.serviceWorker.register('/service-worker.js', { type: 'module' })
  await navigator.serviceWorker.ready
  const { port1, port2 } = new MessageChannel()
  port1.addEventListener('message', ({ data }: MessageEvent<number[]>) => void seen.splice(0, Infinity, ...data))
  port1.start()
  registration.active?.postMessage(new URL(url, location.href).href, [port2])
}

/** A message to a service worker, which lives on as long as it waits for something. */
interface ServiceWorkerMessage extends MessageEvent<string> {
  waitUntil(promise: Promise<unknown>): void
}

if ('document' in globalThis) {
  addEventListener('pageshow', ({ persisted }) => void shows.push(persisted))
  const calls = { listen, listenPatiently, listenInWorker, listenInServiceWorker }
  Object.assign(globalThis, { seen, statuses, errors, shows, ...calls })
} else if ('registration' in globalThis) {
  addEventListener('message', (event) => {
    const { data: url, ports, waitUntil } = event as ServiceWorkerMessage
    listen(url)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
    waitUntil.call(event, new Promise(() => setInterval(() => ports[0]?.postMessage(seen), 20)))
  })
} else {
  addEventListener('message', ({ data }: MessageEvent<string>) => listen(data))
  setInterval(() => postMessage(seen), 20)
}
