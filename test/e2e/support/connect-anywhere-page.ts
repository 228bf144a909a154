// `connect` in a page, and the same script in a worker: what a test reads is what it has noted.
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

if ('document' in globalThis) {
  addEventListener('pageshow', ({ persisted }) => void shows.push(persisted))
  Object.assign(globalThis, { seen, statuses, errors, shows, listen, listenPatiently, listenInWorker })
} else {
  addEventListener('message', ({ data }: MessageEvent<string>) => listen(data))
  setInterval(() => postMessage(seen), 20)
}
