import { createSession } from '@millrace/node'
import { createServer } from 'node:http'

const server = createServer(async (request, response) => {
  const session = await createSession(request, response)
  for (const word of ['one', 'token', 'after', 'another']) session.send({ type: 'token', data: word })
  session.close()
})
server.listen(8080)
