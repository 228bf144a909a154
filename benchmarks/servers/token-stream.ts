// A stream as language models give it: many events of some sixty bytes, each in a chunk of its own.
import { listen } from './listen.ts'

const EVENTS_A_TURN = 64
const { eventCount } = JSON.parse(process.argv[2] ?? '{}') as { eventCount: number }

listen((_, response) => {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' })
  let count = 0
  const write = (): void => {
    for (let i = 0; i < EVENTS_A_TURN && count < eventCount; i++) {
      response.write(`data: {"id":"chatcmpl-1","delta":{"content":" word${count++}"}}\n\n`)
    }
    if (count === eventCount) response.end()
    else if (response.writableNeedDrain) response.once('drain', write)
    else setImmediate(write)
  }
  write()
})
