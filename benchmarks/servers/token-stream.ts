// A stream as language models give it: many events of some sixty bytes, each in a chunk of its own. What is sent is made
// before, and goes to the socket as it is: a reader that has a core to itself does not wait for this one.
import { listen } from './listen.ts'

const EVENTS_A_WRITE = 64
const { eventCount } = JSON.parse(process.argv[2] ?? '{}') as { eventCount: number }

const chunks = Array.from({ length: EVENTS_A_WRITE }, (_, i) => {
  const event = `data: {"id":"chatcmpl-1","delta":{"content":" word${100_000 + i}"}}\n\n`
  return `${event.length.toString(16)}\r\n${event}\r\n`
})
const bytes = Buffer.from(chunks.join(''))

listen((_, response) => {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' })
  response.flushHeaders()
  const { socket } = response
  let count = 0
  const write = (): void => {
    while (count < eventCount) {
      count += EVENTS_A_WRITE
      if (!socket?.write(bytes)) return void socket?.once('drain', write)
    }
  }
  write()
})
