// A process that appends events with a dedupe key each until it is killed, and writes a line for each that was answered.
import { formatEventId } from '@millrace/protocol'
import { writeSync } from 'node:fs'
import { sqlite } from '../../src/index.ts'
import { event } from './events.ts'

const { log } = sqlite(process.argv[2] ?? '')
for (let i = 1; ; i++) {
  const [position] = await log.append([{ ...event('news', `key.${i}`), dedupeKey: `key.${i}` }], { publisher: 'child' })
  if (position) writeSync(1, `key.${i} ${formatEventId(position)}\n`)
}
