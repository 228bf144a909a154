import { serve } from '@hono/node-server'
import { streams } from '@millrace/hono'
import { createHub, memory } from '@millrace/node'
import { Hono } from 'hono'

const hub = createHub<{ tick: { price: number } }>({ backend: memory() })
const app = new Hono()
app.get('/events', streams(hub))
app.post('/prices/:symbol', async (context) => {
  const topic = `stocks.${context.req.param('symbol')}`
  return context.json(await hub.publish({ topic, type: 'tick', data: await context.req.json() }))
})
serve({ fetch: app.fetch, port: 8080 })
