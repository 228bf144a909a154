import { publish } from '@millrace/client'

const [id] = await publish(
  'https://hub.example/events',
  { topic: 'orders.7', type: 'changed', data: { order: 7, state: 'shipped' } },
  { token: 'a token that may publish' },
)
console.log(`stored as ${id}`)
