import { createChannel } from '@millrace/node'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'

const PAGE = `<!doctype html>
<title>Notes</title>
<ul id="notes"></ul>
<script>
  const list = document.querySelector('#notes')
  new EventSource('/events').onmessage = (event) =>
    list.append(Object.assign(document.createElement('li'), { textContent: event.data }))
</script>`

const channel = createChannel({ historyCount: 100, retryMs: 200 })
const server = createServer(async (request, response) => {
  if (request.url === '/events') return channel.subscribe(request, response)
  if (request.method === 'POST') {
    channel.broadcast({ data: await text(request) })
    return response.writeHead(204).end()
  }
  return response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(PAGE)
})
server.listen(Number(process.argv[2] ?? 3210), '127.0.0.1')
