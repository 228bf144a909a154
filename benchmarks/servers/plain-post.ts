// The least that a server of Node does with a post: it reads the body, parses it, and answers with JSON.
import { listen } from './listen.ts'

listen((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    JSON.parse(Buffer.concat(parts).toString())
    const body = JSON.stringify({ ids: ['abcdef-1-abc'] })
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body)
  })
})
