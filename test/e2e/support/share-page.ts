import { connect, type StreamOptions } from '@millrace/client'

/** What a test looks at from outside. */
const seen: { topic: string; n: number }[] = []
const asked = new URLSearchParams(location.search)
let token: string | undefined

/** `authorize` and `transport=…` beside the topics. */
const options: StreamOptions = {
  topics: asked.getAll('topic'),
  share: true,
  minDelayMs: 50,
  pollIntervalMs: 200,
  transport: (asked.get('transport') ?? 'auto') as StreamOptions['transport'],
  authorize: asked.has('authorize') ? authorize : undefined,
}
const stream = connect<{ message: number }>('/events', options)

async function authorize({ isRefused }: { isRefused: boolean }): Promise<{ headers: HeadersInit }> {
  if (token === undefined || isRefused) token = await (await fetch('/token')).text()
  return { headers: { authorization: `Bearer ${token}` } }
}

stream.on('message', ({ topic, data }) => seen.push({ topic, n: data }))
Object.assign(globalThis, { seen, stream })
