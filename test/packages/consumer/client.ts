// Copied into an empty project and compiled there with the types of Node alone, of the web, of a worker, and of both: the client, which
// runs everywhere.
import { ClientError, connect, EventSource, exponentialBackoff, publish, type StreamOptions } from '@millrace/client'
import { useEvent, useLatest, useStream } from '@millrace/client/react'

interface Events {
  readonly tick: { readonly price: number }
}

export async function follow(show: (price: number) => void, signal: AbortSignal): Promise<void> {
  const options: StreamOptions = { topics: ['stocks.*'], headers: { 'x-one': '1' }, credentials: 'include', signal }
  const stream = connect<Events>('https://hub.example/events', {
    ...options,
    authorize: async ({ isRefused }) => ({ headers: new Headers({ authorization: String(isRefused) }) }),
    fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, 'x-two': '2' } }),
    onError: (error) => error instanceof ClientError && error.status,
  })
  stream.on('tick', ({ data }) => show(data.price))
  // @ts-expect-error: there is no such data
  stream.on('tick', ({ data }) => show(data.prise))
  for await (const { data } of stream) show(data.price)
  await publish('https://hub.example/events', { topic: 'stocks.AAPL', data: 1 }, { headers: [['x-one', '1']] })
}

export async function listen(show: (text: string) => void): Promise<() => void> {
  const source = new EventSource('https://hub.example/events', {
    headers: new Headers(),
    body: new URLSearchParams({ topic: 'a' }),
    backoff: exponentialBackoff(),
    signal: AbortSignal.timeout(1_000),
  })
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- it is what is tried
  source.onmessage = ({ data, lastEventId, origin }) => show(`${data.trim()} ${lastEventId} ${origin}`)
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- it is what is tried
  source.onerror = ({ reason }) => show(reason.kind)
  source.addEventListener('message', ({ data }) => show(data.trim()), { once: true })
  source.addEventListener('error', ({ reason }) => reason.kind === 'status' && show(String(reason.status)))
  source.addEventListener('tick', ({ data, type }) => show(data.trim() + type), true)
  source.addEventListener('tick', { handleEvent: (event) => show(event.type) })
  const onEvent = (event: Event): void => show(event.type)
  source.addEventListener('tick', onEvent)
  source.removeEventListener('tick', onEvent)
  const { body } = await fetch('https://hub.example/events')
  if (body) EventSource.fromReadableStream(body).close()
  return () => source.close()
}

export function usePrice(): number | undefined {
  const stream = useStream<{ tick: { price: number } }>('/events', { topics: ['stocks.AAPL'] })
  useEvent(stream, 'tick', ({ data }) => void data.price)
  return useLatest(stream, 'tick')?.data.price
}
