import { connect, type StreamStatus } from '@millrace/client'

const stream = connect('/events')
const off = stream.onStatus((status) => console.log(inWords(status)))
stream.onStatus(({ name }) => name === 'closed' && off())

function inWords(status: StreamStatus): string {
  switch (status.name) {
    case 'connecting':
      return status.attempt === 1 ? 'Connecting …' : `Reconnecting, attempt ${status.attempt} …`
    case 'open':
      return status.transport === 'stream' ? 'Live' : `Live, by ${status.transport}`
    case 'waiting':
      return `Reconnecting at ${new Date(status.atMs).toLocaleTimeString()}`
    case 'syncing':
      return 'Catching up …'
    case 'failed':
      return `Not connected: ${status.error.message}`
    case 'ended':
    case 'closed':
      return 'Finished'
  }
}
