/* oxlint-disable no-console -- what it prints is what the test reads */
// A consumer on any runtime: prints each event, and ends when the server says that the topic is finished.
import { connect } from '@millrace/client'

interface Host {
  readonly process: { readonly argv: readonly string[] }
}

const url = (globalThis as unknown as Host).process.argv.at(-1) ?? ''
const stream = connect<{ message: { n: number } }>(url, { topics: ['job'], minDelayMs: 20 })
stream.onStatus(({ name }) => console.log(`status ${name}`))
for await (const { data } of stream) console.log(`event ${data.n}`)
console.log('over')
