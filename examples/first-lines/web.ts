import { createHub, memory } from '@millrace/server'

const hub = createHub<{ tick: { price: number } }>({ backend: memory() })
const events = hub.fetchHandler()

async function publish(request: Request): Promise<Response> {
  return Response.json(await hub.publish({ topic: 'stocks.AAPL', type: 'tick', data: await request.json() }))
}

export default {
  async fetch(request: Request, host: unknown): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/events') return events(request, host)
    return pathname === '/prices/AAPL' ? publish(request) : new Response('Listen at /events\n')
  },
}
