import { createHub, memory } from '@millrace/node'
import express from 'express'

const hub = createHub<{ tick: { price: number } }>({ backend: memory() })
const app = express()
app.get('/events', hub.handler())
app.post('/prices/:symbol', express.json(), async (request, response) => {
  response.json(await hub.publish({ topic: `stocks.${request.params.symbol}`, type: 'tick', data: request.body }))
})
app.listen(8080)
