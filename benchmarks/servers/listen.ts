import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Listens on a free port of this machine, says so, and ends with the benchmark that started it. */
export function listen(listener: RequestListener): void {
  const server = createServer(listener)
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 }, () => {
    process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
  })
  process.once('disconnect', () => process.exit(0))
}
