import { connect } from '@millrace/client'

interface Events {
  tick: { price: number }
  halt: { reason: string }
}

const stream = connect<Events>('/events', { topics: ['stocks.*'] })

for await (const event of stream) {
  if (event.type === 'tick') console.log(event.topic, event.data.price)
}
