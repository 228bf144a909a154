import { connect } from '@millrace/client'

/** What a test looks at from outside. */
const seen: { topic: string; n: number }[] = []
const topics = new URLSearchParams(location.search).getAll('topic')
const options = { topics, share: true, minDelayMs: 50 }
const stream = connect<{ message: number }>('/events', options)

stream.on('message', ({ topic, data }) => seen.push({ topic, n: data }))
Object.assign(globalThis, { seen, stream })
