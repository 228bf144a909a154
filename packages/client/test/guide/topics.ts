import { ClientError, connect } from '@millrace/client'

const stream = connect('/events', { topics: ['stocks.AAPL'] })

try {
  await stream.addTopics(['stocks.MSFT'], { from: 'snapshot' })
  await stream.removeTopics(['stocks.AAPL'])
} catch (error) {
  if (error instanceof ClientError && error.status === 403) console.log('Not for you; the old topics stay.')
}
