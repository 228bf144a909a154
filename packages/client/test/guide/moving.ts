import { EventSource, exponentialBackoff } from '@millrace/client'

// In the place of a polyfill with headers: the same constructor.
const source = new EventSource('/events', {
  headers: { 'X-Tenant': '7' },
  withCredentials: true,
  backoff: exponentialBackoff({ retryStatuses: [429, 502, 503, 504] }),
})
source.addEventListener('tick', ({ data }) => console.log(JSON.parse(data)))
source.addEventListener('error', ({ reason }) => {
  if (reason.kind === 'status' && reason.status === 401) console.log('not signed in')
})

// In the place of a POST that is answered once, as by a language model: this one is never sent again.
export async function ask(question: string, signal: AbortSignal): Promise<string> {
  const response = await fetch('/answers', { method: 'POST', body: question, signal })
  if (!response.ok || response.body === null) throw new Error(`No answer: ${response.status}`)
  const answer = EventSource.fromReadableStream(response.body)
  let text = ''
  answer.addEventListener('message', ({ data }) => void (text += data))
  await new Promise((resolve) => answer.addEventListener('error', resolve))
  return text
}
