import { connect } from '@millrace/client'

const stream = connect<{ alert: { text: string } }>('/events', { topics: ['alerts'] })
const off = stream.on('alert', ({ data, id }) => console.log(id, data.text))
stream.on('stream:end', ({ data }) => console.log(`${data.topic} is finished`))

off() // this handler is not called any more
stream.close() // and now nothing is
