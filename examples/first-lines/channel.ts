import { createChannel } from '@millrace/node'
import { createServer } from 'node:http'

const channel = createChannel({ historyCount: 100 })
const server = createServer((request, response) => {
  if (request.url?.startsWith('/events')) void channel.subscribe(request, response)
  else response.end('Listen at /events\n')
})
server.listen(8080)

setInterval(() => channel.broadcast({ type: 'time', data: { now: Date.now() } }), 1000)
