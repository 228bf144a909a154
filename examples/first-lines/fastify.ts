import { streams } from '@millrace/fastify'
import { createHub, memory } from '@millrace/node'
import { fastify } from 'fastify'

const hub = createHub<{ tick: { price: number } }>({ backend: memory() })
const app = fastify()
app.get('/events', streams(hub))
app.post<{ Params: { symbol: string }; Body: { price: number } }>('/prices/:symbol', async ({ params, body }) => {
  return hub.publish({ topic: `stocks.${params.symbol}`, type: 'tick', data: body })
})
app.addHook('preClose', () => hub.close())
await app.listen({ port: 8080 })
