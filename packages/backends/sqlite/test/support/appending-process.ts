// A process that appends to a log until it is killed, and writes a line for each event whose append was answered.
import { SeededRandom } from '@millrace/conformance'
import { formatEventId } from '@millrace/protocol'
import { LogError } from '@millrace/server'
import { writeSync } from 'node:fs'
import { sqlite } from '../../src/index.ts'
import { event } from './events.ts'

const [path = '', round = ''] = process.argv.slice(2)
const random = new SeededRandom(Number(round))
const { log } = sqlite(path, {
  topics: [{ match: '>', retention: { maxCount: false, maxBytes: false, maxAgeMs: false } }],
})
let number = 0

async function publish(): Promise<void> {
  for (;;) {
    const events = Array.from({ length: random.integer(1, 5) }, () => {
      number++
      return event(`topic.${random.integer(1, 20)}`, `${round}/${number}`)
    })
    try {
      const positions = await log.append(events)
      tell(positions.map((position, i) => `${formatEventId(position)} ${events[i]?.data}\n`).join(''))
    } catch (error) {
      if (!(error instanceof LogError) || error.code !== 'unavailable') throw error
    }
  }
}

/** At once: what is in a buffer when the process is killed is not told. */
function tell(text: string): void {
  const bytes = Buffer.from(text)
  for (let from = 0; from < bytes.length;) {
    try {
      from += writeSync(1, bytes, from)
    } catch (error) {
      // The reader is slower than we are.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
    }
  }
}

await Promise.all(Array.from({ length: 8 }, publish))
